#include "fixtures.hpp"

#include <tcrops/data/csv.hpp>

#include <catch_all.hpp>
#include <sstream>

namespace tcrops::data {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_all(const std::string& text, char separator = ',') {
  std::istringstream in(text);
  CsvReader reader(in, "t.csv", separator);
  Rows rows;
  std::vector<std::string> fields;
  while (reader.next(fields)) rows.push_back(fields);
  return rows;
}

std::vector<std::size_t> lines_of(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in, "t.csv");
  std::vector<std::size_t> lines;
  std::vector<std::string> fields;
  while (reader.next(fields)) lines.push_back(reader.line());
  return lines;
}

bool refuses(const std::string& text, const std::string& part) {
  return fails_with(ExitCode::kInputData, part, [&] { read_all(text); });
}

}  // namespace

TEST_CASE("every line end closes a record") {
  const Rows expected = {{"a", "b"}, {"c", "d"}};
  CHECK(read_all("a,b\nc,d\n") == expected);
  CHECK(read_all("a,b\r\nc,d\r\n") == expected);
  CHECK(read_all("a,b\rc,d\r") == expected);
  CHECK(read_all("a,b\nc,d") == expected);
  CHECK(read_all("\xEF\xBB\xBF"
                 "a,b\n\n\r\nc,d\n\n") == expected);
  CHECK(read_all("").empty());
  CHECK(read_all("\n\r\n\r").empty());
}

TEST_CASE("empty fields stay and rows may differ in width") {
  CHECK(read_all(",\na,,\nb\n") == Rows{{"", ""}, {"a", "", ""}, {"b"}});
  CHECK(read_all("\"\"\n") == Rows{{""}});
}

TEST_CASE("quoted fields hold separators, quotes and line ends") {
  CHECK(read_all("\"a,b\",\"c\"\"d\",\"e\nf\r\ng\"\nh,i,j\n") ==
        Rows{{"a,b", "c\"d", "e\nf\r\ng"}, {"h", "i", "j"}});
  CHECK(read_all("a\"b,c\n") == Rows{{"a\"b", "c"}});
  CHECK(read_all("a\t\"b\tc\"\n", '\t') == Rows{{"a", "b\tc"}});
}

TEST_CASE("the separator is seen in the first line") {
  CHECK(read_all("a\tb,x\tc\n1\t2\t3\n", kDetectSeparator).at(1).size() == 3);
  CHECK(read_all("a,b\n1\t2,3\n", kDetectSeparator).at(1) == std::vector<std::string>{"1\t2", "3"});
  std::istringstream in("\n\r\na\tb,x\tc\n");
  CsvReader reader(in, "t.tsv", kDetectSeparator);
  std::vector<std::string> fields;
  REQUIRE(reader.next(fields));
  CHECK(reader.separator() == '\t');
  CHECK(fields == std::vector<std::string>{"a", "b,x", "c"});
}

TEST_CASE("a record's line counts line ends inside quotes and blank lines") {
  CHECK(lines_of("a\n\n\"b\nc\r\nd\"\r\ne\rf") == std::vector<std::size_t>{1, 3, 6, 7});
}

TEST_CASE("faults name file and line") {
  CHECK(refuses(std::string("a\nb\0c\n", 6), "t.csv:2: a NUL byte"));
  CHECK(refuses(std::string("a\n\"b\n\0c\"\n", 9), "t.csv:3: a NUL byte"));
  CHECK(refuses("a\n\"b\nc", "t.csv:2: the quote"));
  CHECK(refuses("a\n\"b\"c\n", "t.csv:2: text after"));
}

TEST_CASE("a record may have 1 MiB and no more") {
  const std::size_t limit = std::size_t{1} << 20U;
  CHECK(read_all(std::string(limit, 'x') + "\na\n").size() == 2);
  CHECK(refuses("a\n" + std::string(limit + 1, 'x'), "t.csv:2: the record"));
  CHECK(refuses("a\n\"" + std::string(limit + 1, 'x'), "t.csv:2: the record"));
  CHECK(refuses("a\n" + std::string(limit + 1, ','), "t.csv:2: the record"));
}

TEST_CASE("what is written reads back, across buffer borders") {
  const std::vector<std::string> odd = {"", "a,b", "\"", "x\r\ny", "\r", "plain", "\"\""};
  for (const std::size_t shift : {0U, 1U, 2U, 3U, 5U, 8U, 13U}) {
    std::string text;
    append_csv(text, {std::string(65520 + shift, 'p')});
    append_csv(text, odd);
    append_csv(text, {""});
    const Rows rows = read_all(text);
    REQUIRE(rows.size() == 3);
    CHECK(rows[1] == odd);
    CHECK(rows[2] == std::vector<std::string>{""});
  }
}

}  // namespace tcrops::data
