// The words of TPC-H's data (specification, section 4.2.2.13).
#pragma once

#include <string_view>

constexpr std::string_view kWords[] = {
    "special",     "pending",      "unusual",      "express",
    "furious",     "sly",          "careful",      "blithe",
    "quick",       "fluffy",       "slow",         "quiet",
    "ruthless",    "thin",         "close",        "dogged",
    "daring",      "brave",        "stealthy",     "permanent",
    "enticing",    "idle",         "busy",         "regular",
    "final",       "ironic",       "even",         "bold",
    "silent",      "foxes",        "ideas",        "theodolites",
    "pinto beans", "instructions", "dependencies", "excuses",
    "platelets",   "asymptotes",   "courts",       "dolphins",
    "multipliers", "sauternes",    "warthogs",     "frets",
    "dinos",       "attainments",  "somas",        "Tiresias'",
    "patterns",    "forges",       "braids",       "hockey players",
    "frays",       "warhorses",    "dugouts",      "notornis",
    "epitaphs",    "pearls",       "tithes",       "waters",
    "orbits",      "gifts",        "sheaves",      "depths",
    "sentiments",  "decoys",       "realms",       "pains",
    "grouches",    "escapades",    "packages",     "requests",
    "accounts",    "deposits",     "sleep",        "wake",
    "are",         "cajole",       "haggle",       "nag",
    "use",         "boost",        "affix",        "detect",
    "integrate",   "maintain",     "nod",          "was",
    "lose",        "sublate",      "solve",        "thrash",
    "promise",     "engage",       "hinder",       "print",
    "doze",        "run",          "dazzle",       "snooze",
    "unwind",      "kindle",       "play",         "about",
    "above",       "according to", "across",       "after",
    "against",     "along",        "among"};
constexpr std::string_view kColors[] = {
    "almond",   "antique",   "aquamarine", "azure",      "beige",     "bisque",    "black",
    "blanched", "blue",      "blush",      "brown",      "burlywood", "burnished", "chartreuse",
    "chiffon",  "chocolate", "coral",      "cornflower", "cornsilk",  "cream",     "cyan",
    "dark",     "deep",      "dim",        "dodger",     "drab",      "firebrick", "floral",
    "forest",   "frosted",   "gainsboro",  "ghost",      "goldenrod", "green",     "grey",
    "honeydew", "hot",       "indian",     "ivory",      "khaki",     "lace",      "lavender",
    "lawn",     "lemon",     "light",      "lime",       "linen",     "magenta",   "maroon",
    "medium",   "metallic",  "midnight",   "mint",       "misty",     "moccasin",  "navajo",
    "navy",     "olive",     "orange",     "orchid",     "pale",      "papaya",    "peach",
    "peru",     "pink",      "plum",       "powder",     "puff",      "purple",    "red",
    "rose",     "rosy",      "royal",      "saddle",     "salmon",    "sandy",     "seashell",
    "sienna",   "sky",       "slate",      "smoke",      "snow",      "spring",    "steel",
    "tan",      "thistle",   "tomato",     "turquoise",  "violet",    "wheat",     "white",
    "yellow"};
constexpr std::string_view kTypes1[] = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
constexpr std::string_view kTypes2[] = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
constexpr std::string_view kTypes3[] = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
constexpr std::string_view kContainers1[] = {"SM", "LG", "MED", "JUMBO", "WRAP"};
constexpr std::string_view kContainers2[] = {"CASE", "BOX",  "BAG", "JAR",
                                             "PKG",  "PACK", "CAN", "DRUM"};
constexpr std::string_view kSegments[] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY",
                                          "HOUSEHOLD"};
constexpr std::string_view kPriorities[] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED",
                                            "5-LOW"};
constexpr std::string_view kInstructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                              "TAKE BACK RETURN"};
constexpr std::string_view kModes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
constexpr std::string_view kRegions[] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
struct Nation {
    std::string_view name;
    int region;
};
constexpr Nation kNations[] = {
    {"ALGERIA", 0},      {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1},
    {"EGYPT", 4},        {"ETHIOPIA", 0},  {"FRANCE", 3}, {"GERMANY", 3},
    {"INDIA", 2},        {"INDONESIA", 2}, {"IRAN", 4},   {"IRAQ", 4},
    {"JAPAN", 2},        {"JORDAN", 4},    {"KENYA", 0},  {"MOROCCO", 0},
    {"MOZAMBIQUE", 0},   {"PERU", 1},      {"CHINA", 2},  {"ROMANIA", 3},
    {"SAUDI ARABIA", 4}, {"VIETNAM", 2},   {"RUSSIA", 3}, {"UNITED KINGDOM", 3},
    {"UNITED STATES", 1}};
