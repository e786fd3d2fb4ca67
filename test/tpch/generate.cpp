// Rows of the eight TPC-H tables, as COPY reads them:
//   generate SCALE TABLE    writes the table's rows to standard output.
//
// Every value is a function of its table, row and column, so that any part of the data comes out
// the same each time. Numbers, dates and codes are distributed as the benchmark's specification
// says (section 4.2); comments are random words of its vocabulary instead of its grammar.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "vocabulary.hpp"

namespace {

enum Table { kRegion, kNation, kSupplier, kPart, kPartsupp, kCustomer, kOrders, kLineitem };
constexpr std::string_view kTables[] = {"region",   "nation",   "supplier", "part",
                                        "partsupp", "customer", "orders",   "lineitem"};

double scale = 1;
std::int64_t scaled(double rows) {
    auto count = static_cast<std::int64_t>(rows * scale);
    return count < 1 ? 1 : count;
}

std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
}

// The random numbers of one row, one after the other.
class Random {
public:
    Random(Table table, std::int64_t row)
        : state_(mix(mix(table + 1U) + static_cast<std::uint64_t>(row))) {}
    std::int64_t between(std::int64_t low, std::int64_t high) {
        state_ = mix(state_);
        return low + static_cast<std::int64_t>(state_ % static_cast<std::uint64_t>(high - low + 1));
    }
    template <std::size_t N>
    std::string_view one_of(const std::string_view (&words)[N]) {
        return words[between(0, N - 1)];
    }

private:
    std::uint64_t state_;
};

// ---- a line of output ----

std::string line;

void field(std::string_view text) {
    line += text;
    line += '\t';
}
void field(std::int64_t number) {
    field(std::to_string(number));
}
void cents(std::int64_t amount) {
    char text[80];
    std::int64_t plain = amount < 0 ? -amount : amount;
    std::snprintf(text, sizeof text, "%s%" PRId64 ".%02" PRId64, amount < 0 ? "-" : "", plain / 100,
                  plain % 100);
    field(text);
}
void numbered(const char* prefix, std::int64_t number) {
    char text[80];
    std::snprintf(text, sizeof text, "%s#%09" PRId64, prefix, number);
    field(text);
}
void end_line() {
    line.back() = '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
    line.clear();
}

// Days since 1992-01-01 as a date (Howard Hinnant's civil_from_days).
constexpr std::int64_t kLastOrderDay = 2405;  // 1998-08-02
constexpr std::int64_t kCurrentDay = 1263;    // 1995-06-17
void date(std::int64_t day) {
    std::int64_t z = day + 8035 + 719468;
    std::int64_t era = z / 146097;
    std::int64_t doe = z - era * 146097;
    std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    std::int64_t mp = (5 * doy + 2) / 153;
    std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
    char text[80];
    std::snprintf(text, sizeof text, "%04" PRId64 "-%02" PRId64 "-%02" PRId64,
                  yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1);
    field(text);
}

void comment(Random& random, std::int64_t shortest, std::int64_t longest) {
    auto length = static_cast<std::size_t>(random.between(shortest, longest));
    std::string text;
    while (text.size() < length) {
        text += random.one_of(kWords);
        text += ' ';
    }
    text.resize(length);
    field(text);
}

void address(Random& random) {
    constexpr std::string_view kLetters =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, ";
    std::string text;
    for (std::int64_t left = random.between(10, 40); left > 0; --left) {
        text += kLetters[static_cast<std::size_t>(random.between(0, 63))];
    }
    field(text);
}

void phone(Random& random, std::int64_t nation) {
    char text[80];
    std::snprintf(text, sizeof text, "%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64, nation + 10,
                  random.between(100, 999), random.between(100, 999), random.between(1000, 9999));
    field(text);
}

// ---- tables ----

std::int64_t suppliers() {
    return scaled(10'000);
}
std::int64_t parts() {
    return scaled(200'000);
}

// The supplier of a part: each part has four, spread over all.
std::int64_t supplier_of(std::int64_t part, std::int64_t which) {
    std::int64_t all = suppliers();
    std::int64_t step = all / 4 + (part - 1) / all % (all / 12 + 1);
    return (part + which * step) % all + 1;
}

std::int64_t retail_price(std::int64_t part) {
    return 90'000 + (part / 10) % 20'001 + 100 * (part % 1000);
}

void region(std::int64_t row) {
    Random random(kRegion, row);
    field(row - 1);
    field(kRegions[row - 1]);
    comment(random, 31, 115);
    end_line();
}

void nation(std::int64_t row) {
    Random random(kNation, row);
    field(row - 1);
    field(kNations[row - 1].name);
    field(kNations[row - 1].region);
    comment(random, 31, 114);
    end_line();
}

// Five of ten thousand suppliers have complaints, five recommendations.
void supplier(std::int64_t row) {
    Random random(kSupplier, row);
    std::int64_t nation_key = random.between(0, 24);
    field(row);
    numbered("Supplier", row);
    address(random);
    field(nation_key);
    phone(random, nation_key);
    cents(random.between(-99'999, 999'999));
    std::uint64_t kind = mix(static_cast<std::uint64_t>(row)) % 2000;
    if (kind < 2) {
        line += kind == 0 ? "Customer slow Complaints " : "Customer quick Recommends ";
    }
    comment(random, 25, 75);
    end_line();
}

void part(std::int64_t row) {
    Random random(kPart, row);
    field(row);
    std::string_view names[5];
    for (int i = 0; i < 5;) {
        names[i] = random.one_of(kColors);
        bool is_new = true;
        for (int j = 0; j < i; ++j) {
            is_new = is_new && names[j] != names[i];
        }
        i += is_new ? 1 : 0;
    }
    for (int i = 0; i < 5; ++i) {
        line += names[i];
        line += i < 4 ? ' ' : '\t';
    }
    std::int64_t maker = random.between(1, 5);
    field("Manufacturer#" + std::to_string(maker));
    field("Brand#" + std::to_string(maker) + std::to_string(random.between(1, 5)));
    std::string type(random.one_of(kTypes1));
    type += ' ';
    type += random.one_of(kTypes2);
    type += ' ';
    type += random.one_of(kTypes3);
    field(type);
    field(random.between(1, 50));
    std::string container(random.one_of(kContainers1));
    container += ' ';
    container += random.one_of(kContainers2);
    field(container);
    cents(retail_price(row));
    comment(random, 5, 22);
    end_line();
}

void partsupp(std::int64_t row) {
    for (int which = 0; which < 4; ++which) {
        Random random(kPartsupp, row * 4 + which);
        field(row);
        field(supplier_of(row, which));
        field(random.between(1, 9999));
        cents(random.between(100, 100'000));
        comment(random, 49, 198);
        end_line();
    }
}

void customer(std::int64_t row) {
    Random random(kCustomer, row);
    std::int64_t nation_key = random.between(0, 24);
    field(row);
    numbered("Customer", row);
    address(random);
    field(nation_key);
    phone(random, nation_key);
    cents(random.between(-99'999, 999'999));
    field(random.one_of(kSegments));
    comment(random, 29, 116);
    end_line();
}

// What an order's row and its lines both need.
struct Order {
    std::int64_t key;
    std::int64_t day;
    std::int64_t lines;
};
Order order_of(std::int64_t row) {
    Random random(kOrders, -row);
    // Of each 32 keys the first 8 are used.
    return {((row - 1) / 8) * 32 + (row - 1) % 8 + 1, random.between(0, kLastOrderDay),
            random.between(1, 7)};
}

struct Line {
    std::int64_t part, supplier, quantity, price, discount, tax, shipped, committed, received;
};
Line line_of(const Order& order, Random& random) {
    Line one{};
    one.part = random.between(1, parts());
    one.supplier = supplier_of(one.part, random.between(0, 3));
    one.quantity = random.between(1, 50);
    one.price = one.quantity * retail_price(one.part);
    one.discount = random.between(0, 10);
    one.tax = random.between(0, 8);
    one.shipped = order.day + random.between(1, 121);
    one.committed = order.day + random.between(30, 90);
    one.received = one.shipped + random.between(1, 30);
    return one;
}

void orders(std::int64_t row) {
    Order order = order_of(row);
    Random random(kOrders, row);
    std::int64_t total = 0;
    std::int64_t open = 0;
    for (std::int64_t i = 1; i <= order.lines; ++i) {
        Random line_random(kLineitem, row * 8 + i);
        Line one = line_of(order, line_random);
        total += one.price * (100 - one.discount) / 100 * (100 + one.tax) / 100;
        open += one.shipped > kCurrentDay ? 1 : 0;
    }
    // A third of the customers have no orders.
    std::int64_t buyer = random.between(1, scaled(150'000));
    buyer -= buyer % 3 == 0 && buyer > 1 ? 1 : 0;
    field(order.key);
    field(buyer);
    field(open == 0 ? "F" : open == order.lines ? "O" : "P");
    cents(total);
    date(order.day);
    field(random.one_of(kPriorities));
    numbered("Clerk", random.between(1, scaled(1000)));
    field(std::int64_t{0});
    comment(random, 19, 78);
    end_line();
}

void lineitem(std::int64_t row) {
    Order order = order_of(row);
    for (std::int64_t i = 1; i <= order.lines; ++i) {
        Random random(kLineitem, row * 8 + i);
        Line one = line_of(order, random);
        field(order.key);
        field(one.part);
        field(one.supplier);
        field(i);
        field(one.quantity);
        cents(one.price);
        cents(one.discount);
        cents(one.tax);
        field(one.received > kCurrentDay ? "N" : random.between(0, 1) == 0 ? "R" : "A");
        field(one.shipped > kCurrentDay ? "O" : "F");
        date(one.shipped);
        date(one.committed);
        date(one.received);
        field(random.one_of(kInstructions));
        field(random.one_of(kModes));
        comment(random, 10, 43);
        end_line();
    }
}

struct Source {
    void (*write)(std::int64_t row);
    std::int64_t rows;
};

Source source_of(std::string_view table) {
    const Source sources[] = {{region, 5},
                              {nation, 25},
                              {supplier, suppliers()},
                              {part, parts()},
                              {partsupp, parts()},
                              {customer, scaled(150'000)},
                              {orders, scaled(1'500'000)},
                              {lineitem, scaled(1'500'000)}};
    for (std::size_t i = 0; i < 8; ++i) {
        if (kTables[i] == table) {
            return sources[i];
        }
    }
    return {nullptr, 0};
}

}  // namespace

int main(int argc, char** argv) {
    scale = argc == 3 ? std::atof(argv[1]) : 0;
    Source source = scale > 0 ? source_of(argv[2]) : Source{};
    if (source.write == nullptr) {
        std::fputs(
            "usage: generate SCALE region|nation|supplier|part|partsupp|customer|orders|"
            "lineitem\n",
            stderr);
        return 2;
    }
    for (std::int64_t row = 1; row <= source.rows; ++row) {
        source.write(row);
    }
    return 0;
}
