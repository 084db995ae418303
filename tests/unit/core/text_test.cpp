#include <tcrops/core/text.hpp>

#include <catch_all.hpp>
#include <limits>

namespace tcrops {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("split keeps empty parts") {
  CHECK(split("a,b,c", ',') == Words{"a", "b", "c"});
  CHECK(split(",a,,", ',') == Words{"", "a", "", ""});
  CHECK(split("", ',') == Words{""});
  CHECK(split("a;b", ',') == Words{"a;b"});
}

TEST_CASE("trim takes white space from both ends only") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim("a") == "a");
  CHECK(trim(" \n").empty());
  CHECK(trim("").empty());
}

TEST_CASE("letter case is changed for ASCII alone") {
  CHECK(to_lower("AbZ@[09\xc3\x84") == "abz@[09\xc3\x84");
  CHECK(to_upper("aBz`{09\xc3\xa4") == "ABZ`{09\xc3\xa4");
}

TEST_CASE("numbers are the whole text or nothing") {
  CHECK(parse_number("1.5e-3") == 0.0015);
  CHECK(parse_number("-7") == -7.0);
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  for (const char* text : {"", " 1", "1 ", "1,5", "0x10", "1e", "abc", "1.5x", "--1"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text));
    CHECK_FALSE(parse_integer(text));
  }
  CHECK_FALSE(parse_integer("1.0"));
  CHECK_FALSE(parse_integer("9223372036854775808"));
  CHECK_FALSE(parse_number("1e999"));
}

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("saturday", "sunday") == 3);
  CHECK(edit_distance("flaw", "lawn") == 2);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("the nearest word is offered when it is near") {
  const Words keys = {"epochs", "batch_size", "learning_rate"};
  CHECK(nearest_word("epoch", keys) == "epochs");
  CHECK(nearest_word("EPOCHS", keys) == "epochs");
  CHECK(nearest_word("lerning_rte", keys) == "learning_rate");
  CHECK_FALSE(nearest_word("dropout", keys));
  CHECK_FALSE(nearest_word("epochs", {}));
  CHECK(suggestion("batchsize", keys) == "; did you mean \"batch_size\"?");
  CHECK(suggestion("dropout", keys).empty());
}

TEST_CASE("the first of equally near words is offered") {
  CHECK(nearest_word("ab", Words{"abc", "abd"}) == "abc");
}

TEST_CASE("a table: text to the left, numbers to the right, no space at line ends") {
  CHECK(format_table({"name", "AUC"}, {{"a", "0.5"}, {"longer", "10.25"}, {"b", "-"}}) ==
        "name      AUC\n"
        "a         0.5\n"
        "longer  10.25\n"
        "b           -\n");
  CHECK(format_table({"n", "text"}, {{"10", "x"}, {"2", "12"}}) ==
        " n  text\n"
        "10  x\n"
        " 2  12\n");
}

TEST_CASE("a table counts letters and not bytes, and bears short rows") {
  CHECK(format_table({"name", "b"}, {{"\xc3\xa4\xc3\xb6", "x"}, {"abcde"}}) ==
        "name   b\n"
        "\xc3\xa4\xc3\xb6     x\n"
        "abcde\n");
  CHECK(format_table({"a", "b"}, {}) == "a  b\n");
}

}  // namespace
}  // namespace tcrops
