#include "ddl/source_text.hpp"

#include <vector>

#include "pg/spi.hpp"

extern "C" {
#include "parser/gramparse.h"
#include "parser/scanner.h"
}

namespace herd::ddl {

namespace {

struct Token {
    int kind = 0;
    std::size_t begin = 0;
    std::string value;  // of identifiers and string constants
};

// PostgreSQL's own scanner, so that quotes, dollars and comments are understood as it does.
std::vector<Token> scan(const std::string& text) {
    ::core_yy_extra_type extra{};
    ::core_yyscan_t scanner = pg::call(
        [&] { return ::scanner_init(text.c_str(), &extra, &ScanKeywords, ScanKeywordTokens); });
    std::vector<Token> tokens;
    while (true) {
        ::core_YYSTYPE value{};
        int location = 0;
        int kind = pg::call([&] { return ::core_yylex(&value, &location, scanner); });
        if (kind == 0) {
            break;
        }
        Token token{kind, static_cast<std::size_t>(location), {}};
        if (kind == IDENT || kind == SCONST || kind == USCONST || kind == UIDENT) {
            token.value = value.str;
        } else if (kind > 255 && value.keyword != nullptr && kind != ICONST && kind != PARAM &&
                   kind != FCONST && kind != Op) {
            token.value = value.keyword;
        }
        tokens.push_back(std::move(token));
    }
    pg::call([&] { ::scanner_finish(scanner); });
    return tokens;
}

// Where the token ends: before the blanks and comments in front of the next one.
std::size_t end_of(const std::string& text, const std::vector<Token>& tokens, std::size_t i) {
    return i + 1 < tokens.size() ? tokens[i + 1].begin : text.size();
}

bool is_keyword(const Token& token, const char* name) {
    return token.kind > 255 && token.kind != SCONST && token.kind != IDENT && token.value == name;
}

std::string splice(const std::string& text, std::size_t from, std::size_t to,
                   const std::string& by) {
    return text.substr(0, from) + by + " " + text.substr(to);
}

}  // namespace

std::string statement_text(const ::PlannedStmt* planned, const char* query_string) {
    std::string text(query_string);
    if (planned->stmt_location > 0) {
        text.erase(0, static_cast<std::size_t>(planned->stmt_location));
    }
    if (planned->stmt_location >= 0 && planned->stmt_len > 0) {
        text.resize(static_cast<std::size_t>(planned->stmt_len));
    }
    return text;
}

std::string with_password(const std::string& text, const std::string& verifier) {
    std::vector<Token> tokens = scan(text);
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const Token& next = tokens[i + 1];
        if (is_keyword(tokens[i], "password") && (next.kind == SCONST || next.kind == USCONST)) {
            return splice(text, next.begin, end_of(text, tokens, i + 1),
                          pg::quote_literal(verifier));
        }
    }
    return text;
}

std::string with_database(const std::string& text, const std::string& from, const std::string& to) {
    if (from == to) {
        return text;
    }
    std::vector<Token> tokens = scan(text);
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (is_keyword(tokens[i], "database") && tokens[i + 1].value == from) {
            return splice(text, tokens[i + 1].begin, end_of(text, tokens, i + 1),
                          pg::quote_identifier(to));
        }
    }
    return text;
}

std::string with_session_user(const std::string& text, const std::string& role) {
    std::string edited = text;
    std::vector<Token> tokens = scan(text);
    for (std::size_t i = tokens.size(); i-- > 0;) {
        if (is_keyword(tokens[i], "session_user")) {
            edited = splice(edited, tokens[i].begin, end_of(text, tokens, i),
                            pg::quote_identifier(role));
        }
    }
    return edited;
}

std::string with_partition_bound(const std::string& text, const std::string& bound) {
    std::vector<Token> tokens = scan(text);
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (!is_keyword(tokens[i], "for") || !is_keyword(tokens[i + 1], "values")) {
            continue;
        }
        // IN (..) and WITH (..) have one list, FROM (..) TO (..) two.
        int lists = i + 2 < tokens.size() && is_keyword(tokens[i + 2], "from") ? 2 : 1;
        int depth = 0;
        for (std::size_t j = i + 2; j < tokens.size(); ++j) {
            depth += tokens[j].kind == '(' ? 1 : tokens[j].kind == ')' ? -1 : 0;
            if (tokens[j].kind == ')' && depth == 0 && --lists == 0) {
                return splice(text, tokens[i].begin, end_of(text, tokens, j), bound);
            }
        }
    }
    return text;
}

}  // namespace herd::ddl
