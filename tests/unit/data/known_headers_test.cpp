#include <tcrops/core/error.hpp>
#include <tcrops/data/reader.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <error_of.hpp>
#include <future>
#include <string>
#include <vector>

using namespace tcrops::data;
using tcrops::ExitCode;

namespace {

using Texts = std::vector<std::string>;

ReadOptions options_with(std::shared_ptr<const KnownHeaders> headers) {
  ReadOptions options;
  options.required = {Column::kCdr3Beta, Column::kEpitope};
  options.used = {Column::kCdr3Beta, Column::kEpitope};
  options.warns = false;
  options.known_headers = std::move(headers);
  return options;
}

// The records of a table of one row.
std::vector<Record> records_of(const Texts& names, const Texts& row, const ReadOptions& options) {
  TextTable table;
  table.names.assign(names.begin(), names.end());
  table.fields.assign(row.begin(), row.end());
  TableReader reader(table, "table", options);
  std::vector<Record> records;
  while (auto result = reader.next()) {
    if (result->record) records.push_back(*result->record);
  }
  return records;
}

const std::string kBeta = "CASSIRSSYEQYF";
const std::string kEpitope = "GILGFVFTL";

}  // namespace

TEST_CASE("a header that is known means what it meant") {
  const auto headers = std::make_shared<const KnownHeaders>();
  for (int turn = 0; turn < 3; ++turn) {
    for (const auto& known : {headers, std::shared_ptr<const KnownHeaders>()}) {
      const auto options = options_with(known);
      const auto one = records_of({"CDR3_beta", "Epitope"}, {kBeta, kEpitope}, options);
      REQUIRE(one.size() == 1);
      CHECK(one.front()[Column::kCdr3Beta] == kBeta);
      CHECK(one.front()[Column::kEpitope] == kEpitope);
      CHECK(one.front().line == 2);
      const auto other = records_of({"Epitope", "CDR3_beta"}, {kEpitope, kBeta}, options);
      REQUIRE(other.size() == 1);
      CHECK(other.front()[Column::kCdr3Beta] == kBeta);
      CHECK(other.front()[Column::kEpitope] == kEpitope);
    }
  }
}

TEST_CASE("what else is asked of a header counts, too") {
  const auto headers = std::make_shared<const KnownHeaders>();
  const Texts names = {"CDR3_beta", "V_beta"};
  const Texts row = {kBeta, "TRBV19*01"};
  for (int turn = 0; turn < 2; ++turn) {
    auto options = options_with(headers);
    const auto fault = tcrops::test::error_of([&] { records_of(names, row, options); });
    CHECK(fault.code == ExitCode::kInputData);
    CHECK(fault.says("\"Epitope\" is missing"));
    options.epitope = kEpitope;
    CHECK(records_of(names, row, options).size() == 1);
    options.epitope.clear();
    options.required = {Column::kCdr3Beta};
    CHECK(records_of(names, row, options).size() == 1);
    options.format = "airr";
    CHECK(tcrops::test::error_of([&] { records_of(names, row, options); }).says("this is not"));
    options.format = std::string(kDetectFormat);
    options.map = {{"CDR3_alpha", "V_beta"}};
    const auto mapped = records_of(names, {kBeta, "CAVRDSSYKLIF"}, options);
    REQUIRE(mapped.size() == 1);
    CHECK(mapped.front()[Column::kCdr3Alpha] == "CAVRDSSYKLIF");
  }
}

TEST_CASE("more headers than are kept, from many threads") {
  const auto headers = std::make_shared<const KnownHeaders>();
  std::vector<std::future<int>> all;
  for (int thread = 0; thread < 4; ++thread) {
    all.push_back(std::async(std::launch::async, [&headers, thread] {
      int right = 0;
      for (int turn = 0; turn < 100; ++turn) {
        Texts names = {"CDR3_beta", "Epitope"};
        Texts row = {kBeta, kEpitope};
        const std::size_t more = static_cast<std::size_t>(thread + turn) % 20;
        names.insert(names.begin(), more, "");
        row.insert(row.begin(), more, "x");
        for (std::size_t i = 0; i < more; ++i) names[i] = fmt::format("more{}", i);
        const auto records = records_of(names, row, options_with(headers));
        right += records.size() == 1 && records.front()[Column::kCdr3Beta] == kBeta &&
                         records.front().extra.size() == more
                     ? 1
                     : 0;
      }
      return right;
    }));
  }
  for (auto& each : all) CHECK(each.get() == 100);
}
