// Messages and SQLSTATEs are those of PostgreSQL's own COPY FROM.
#include "copy/source.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

extern "C" {
#include "catalog/pg_authid_d.h"
#include "libpq/libpq.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "storage/fd.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/memutils.h"
}

namespace herd::copy {

namespace {

constexpr std::size_t kChunk = 1U << 16;
constexpr const char* kHintStdin =
    "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.";

::FILE* open_program(const char* command) {
    ::FILE* file = ::OpenPipeStream(command, PG_BINARY_R);
    if (file == nullptr) {
        const char* reason = ::strerror(errno);
        ereport(ERROR, (errcode_for_file_access(),
                        errmsg("could not execute command \"%s\": %s", command, reason)));
    }
    return file;
}

::FILE* open_file(const char* name) {
    ::FILE* file = ::AllocateFile(name, PG_BINARY_R);
    if (file == nullptr) {
        bool unseen = errno == ENOENT || errno == EACCES;
        const char* reason = ::strerror(errno);
        ereport(
            ERROR,
            (errcode_for_file_access(),
             errmsg("could not open file \"%s\" for reading: %s", name, reason),
             unseen ? errhint("COPY FROM instructs the PostgreSQL server process to read a file. "
                              "You may want a client-side facility such as psql's \\copy.")
                    : 0));
    }
    struct ::stat about {};
    if (::fstat(::fileno(file), &about) != 0) {
        const char* reason = ::strerror(errno);
        ereport(ERROR, (errcode_for_file_access(),
                        errmsg("could not stat file \"%s\": %s", name, reason)));
    }
    if (S_ISDIR(about.st_mode)) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a directory", name)));
    }
    return file;
}

// CopyInResponse: the client may send.
void begin_client(int fields, bool binary) {
    ::StringInfoData message;
    ::pq_beginmessage(&message, 'G');
    ::pq_sendbyte(&message, binary ? 1 : 0);
    ::pq_sendint16(&message, static_cast<uint16>(fields));
    for (int i = 0; i < fields; ++i) {
        ::pq_sendint16(&message, binary ? 1 : 0);
    }
    ::pq_endmessage(&message);
    pq_flush();
}

}  // namespace

void check_source_allowed(const ::CopyStmt* statement) {
    if (statement->filename == nullptr) {
        return;
    }
    if (statement->is_program &&
        !::has_privs_of_role(::GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("must be superuser or have privileges of the pg_execute_server_program role "
                    "to COPY to or from an external program"),
             errhint("%s", kHintStdin)));
    }
    if (!statement->is_program && !::has_privs_of_role(::GetUserId(), ROLE_PG_READ_SERVER_FILES)) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("must be superuser or have privileges of the pg_read_server_files "
                               "role to COPY from a file"),
                        errhint("%s", kHintStdin)));
    }
}

void Source::open(const ::CopyStmt* statement, int fields, bool binary) {
    name_ = statement->filename;
    pg::call([&] {
        if (name_ != nullptr) {
            kind_ = statement->is_program ? Kind::kProgram : Kind::kFile;
            file_ = statement->is_program ? open_program(name_) : open_file(name_);
        } else if (::whereToSendOutput == ::DestRemote) {
            kind_ = Kind::kClient;
            message_ = ::makeStringInfo();
            begin_client(fields, binary);
        } else {
            kind_ = Kind::kStdin;
            file_ = stdin;
        }
    });
}

// One message of the client; data stays in message_. PostgreSQL style.
void Source::next_message() {
    HOLD_CANCEL_INTERRUPTS();
    ::pq_startmsgread();
    int type = ::pq_getbyte();
    int most = PQ_SMALL_MESSAGE_LIMIT;
    if (type == 'd') {
        most = PQ_LARGE_MESSAGE_LIMIT;
    } else if (type != EOF && std::strchr("cfHS", type) == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
                        errmsg("unexpected message type 0x%02X during COPY from stdin", type)));
    }
    if (type == EOF || ::pq_getmessage(message_, most) != 0) {
        ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                        errmsg("unexpected EOF on client connection with an open transaction")));
    }
    RESUME_CANCEL_INTERRUPTS();
    if (type == 'c') {
        at_end_ = true;
    } else if (type == 'f') {
        ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
                        errmsg("COPY from stdin failed: %s", ::pq_getmsgstring(message_))));
    }
    if (type != 'd') {
        // Flush and Sync are ignored, for clients that did not know that this was a COPY.
        ::resetStringInfo(message_);
        message_->cursor = 0;
    }
}

// PostgreSQL style.
std::size_t Source::read_client(char* to, std::size_t most) {
    std::size_t size = 0;
    while (size < most && !at_end_) {
        if (message_->cursor >= message_->len) {
            next_message();
            continue;
        }
        auto part = static_cast<std::size_t>(message_->len - message_->cursor);
        part = part < most - size ? part : most - size;
        ::pq_copymsgbytes(message_, to + size, static_cast<int>(part));
        size += part;
    }
    return size;
}

std::size_t Source::read(char* to, std::size_t most) {
    if (at_end_) {
        return 0;
    }
    return pg::call([&] {
        CHECK_FOR_INTERRUPTS();
        if (kind_ == Kind::kClient) {
            return read_client(to, most);
        }
        std::size_t size = std::fread(to, 1, most, file_);
        if (std::ferror(file_) != 0) {
            const char* reason = ::strerror(errno);
            ereport(ERROR, (errcode_for_file_access(),
                            errmsg("could not read from COPY file: %s", reason)));
        }
        at_end_ = size == 0;
        return size;
    });
}

void Source::drain() {
    if (kind_ == Kind::kClient) {
        pg::call([&] {
            while (!at_end_) {
                next_message();
                message_->cursor = message_->len;
            }
        });
    }
}

void Source::close() {
    pg::call([&] {
        if (kind_ == Kind::kFile && ::FreeFile(file_) != 0) {
            const char* reason = ::strerror(errno);
            ereport(ERROR, (errcode_for_file_access(),
                            errmsg("could not close file \"%s\": %s", name_, reason)));
        }
        if (kind_ != Kind::kProgram) {
            return;
        }
        int code = ::ClosePipeStream(file_);
        if (code == -1) {
            const char* reason = ::strerror(errno);
            ereport(ERROR, (errcode_for_file_access(),
                            errmsg("could not close pipe to external command: %s", reason)));
        }
        // A program that was not read to its end may well complain about its broken pipe.
        if (code != 0 && (at_end_ || !::wait_result_is_signal(code, SIGPIPE))) {
            ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
                            errmsg("program \"%s\" failed", name_),
                            errdetail_internal("%s", ::wait_result_to_str(code))));
        }
    });
}

Input::Input(Source& source, const Transcoding& transcoding)
    : source_(source), transcoding_(transcoding) {
    make_room(kChunk);
    if (transcoding.treatment == Treatment::kTranscode) {
        raw_ = std::make_unique<char[]>(kChunk);
    }
}

void Input::make_room(std::size_t room) {
    std::size_t used = size_ + unverified_;
    if (capacity_ - used >= room) {
        return;
    }
    if (used + room > MaxAllocSize) {
        throw Error(SqlState("54000"), "out of memory")
            .detail("A record of the data is longer than a gigabyte.");
    }
    std::size_t capacity = std::max(capacity_ * 2, used + room);
    std::unique_ptr<char[]> grown(new char[capacity]);
    if (used > 0) {
        std::memcpy(grown.get(), buffer_.get(), used);
    }
    buffer_ = std::move(grown);
    capacity_ = capacity;
}

bool Input::refill(std::size_t consumed) {
    size_ -= consumed;
    if (consumed > 0) {
        std::memmove(buffer_.get(), buffer_.get() + consumed, size_ + unverified_);
    }
    return transcoding_.treatment == Treatment::kTranscode ? refill_transcoded()
                                                           : refill_verified();
}

bool Input::refill_verified() {
    bool verify = transcoding_.treatment == Treatment::kVerify;
    while (true) {
        char* from = buffer_.get() + size_;
        std::size_t good = unverified_;
        if (verify && unverified_ > 0) {
            int length = static_cast<int>(std::min(unverified_, kChunk));
            good = static_cast<std::size_t>(
                ::pg_encoding_verifymbstr(transcoding_.from, from, length));
        }
        if (good > 0) {
            size_ += good;
            unverified_ -= good;
            return true;
        }
        auto longest = static_cast<std::size_t>(pg_encoding_max_length(transcoding_.from));
        if (unverified_ > 0 && (source_at_end_ || unverified_ >= longest)) {
            pg::call([&] {
                ::report_invalid_encoding(transcoding_.from, from, static_cast<int>(unverified_));
            });
        }
        if (source_at_end_) {
            at_end_ = true;
            return false;
        }
        make_room(kChunk);
        std::size_t more = source_.read(buffer_.get() + size_ + unverified_, kChunk);
        unverified_ += more;
        source_at_end_ = more == 0;
    }
}

bool Input::refill_transcoded() {
    while (!convert()) {
        if (source_at_end_) {
            at_end_ = raw_size_ == 0;
            if (!at_end_) {
                throw_unconvertible();
            }
            return false;
        }
        read_raw();
    }
    return true;
}

void Input::read_raw() {
    std::size_t more = source_.read(raw_.get() + raw_size_, kChunk - raw_size_);
    raw_size_ += more;
    source_at_end_ = more == 0;
}

// Converts what can be; false when that is nothing and more must be read first.
bool Input::convert() {
    if (raw_size_ == 0) {
        return false;
    }
    make_room(raw_size_ * MAX_CONVERSION_GROWTH + 1);
    auto* to = reinterpret_cast<unsigned char*>(buffer_.get() + size_);
    auto* from = reinterpret_cast<unsigned char*>(raw_.get());
    int done = pg::call([&] {
        return ::pg_do_encoding_conversion_buf(
            transcoding_.procedure, transcoding_.from, ::GetDatabaseEncoding(), from,
            static_cast<int>(raw_size_), to, static_cast<int>(capacity_ - size_), true);
    });
    if (done == 0) {
        if (raw_size_ >= MAX_CONVERSION_INPUT_LENGTH) {
            throw_unconvertible();
        }
        return false;
    }
    size_ += std::strlen(reinterpret_cast<char*>(to));
    raw_size_ -= static_cast<std::size_t>(done);
    std::memmove(raw_.get(), raw_.get() + done, raw_size_);
    return true;
}

void Input::throw_unconvertible() {
    make_room(raw_size_ * MAX_CONVERSION_GROWTH + 1);
    pg::call([&] {
        ::pg_do_encoding_conversion_buf(
            transcoding_.procedure, transcoding_.from, ::GetDatabaseEncoding(),
            reinterpret_cast<unsigned char*>(raw_.get()), static_cast<int>(raw_size_),
            reinterpret_cast<unsigned char*>(buffer_.get() + size_),
            static_cast<int>(capacity_ - size_), false);
    });
    throw Error(sqlstate::kInternalError, "encoding conversion failed without an error");
}

}  // namespace herd::copy
