// The quick ways from JSON to a table beside the plain ones: the same tables, answers and messages.
#include "json_rows.hpp"

#include "quick_rows.hpp"
#include "request_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/reader.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <sstream>

using namespace tcrops;
using namespace tcrops::serve;
using data::Column;

namespace {

constexpr std::size_t kMostRows = 50;

const stages::TableNeeds kNeeds = {{Column::kCdr3Beta},
                                   {Column::kCdr3Beta, Column::kEpitope, Column::kVBeta},
                                   {stages::AnswerColumn::kScore, stages::AnswerColumn::kCall}};

void add(std::string& text, const std::string& more) { text += more + '\n'; }

// All that is known of a table, as text.
std::string shown(const stages::SmallTable& table) {
  std::string text = table.format() + '\n';
  for (const auto& row : table.rows()) {
    add(text, std::to_string(row.line) + ' ' +
                  (row.record ? std::to_string(*row.record) : std::string("-")) + ' ' +
                  row.problem);
  }
  std::vector<stages::Answer> answers;
  for (const data::Record& record : table.records()) {
    for (const std::string& value : record.values) text += value + '|';
    for (const std::string& value : record.extra) text += value + '/';
    add(text, std::to_string(record.line) + record.fold + std::string(origin_name(record.origin)) +
                  (record.label ? std::to_string(*record.label) : "?"));
    answers.emplace_back().score = 1.0 / static_cast<double>(1 + answers.size());
  }
  return text + table.answered(answers);
}

std::string outcome_of(const std::function<stages::SmallTable()>& read) {
  try {
    return shown(read());
  } catch (const Error& e) {
    return std::string("error: ") + e.what();
  } catch (const HttpError& e) {
    return std::to_string(e.status()) + ": " + e.what();
  }
}

// As it was before there was another way: a CSV is written and read.
stages::SmallTable by_csv(const Columns& columns, stages::TableSource source) {
  const bool are_canonical = std::all_of(columns.begin(), columns.end(), [](const auto& column) {
    return data::column_named(column.first).has_value();
  });
  if (source.format == "auto" && are_canonical) source.format = "benchmark";
  std::istringstream in(csv_of(columns));
  stages::SmallTable table(in, source, kNeeds, kMostRows);
  if (table.too_long()) throw too_many_rows(kMostRows);
  table.count_from_first_row();
  return table;
}

void check_both_ways(const Columns& columns, const std::string& format) {
  CAPTURE(format, csv_of(columns));
  stages::TableSource source;
  source.path = "body";
  source.format = format;
  CHECK(outcome_of([&] { return table_of(columns, source, kNeeds, kMostRows); }) ==
        outcome_of([&] { return by_csv(columns, source); }));
}

Columns columns_of(const std::vector<std::string>& names,
                   const std::vector<std::vector<std::string>>& rows) {
  Columns columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    columns.emplace_back(names[i], std::vector<std::string>());
    for (const auto& row : rows) columns.back().second.push_back(row.at(i));
  }
  return columns;
}

Columns as_columns(const data::TextTable& table) {
  Columns columns;
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    columns.emplace_back(table.names[i], std::vector<std::string>());
    for (std::size_t row = 0; row < table.rows(); ++row)
      columns.back().second.emplace_back(table.row(row)[i]);
  }
  return columns;
}

const std::vector<std::string> kPairNames = {"CDR3_alpha", "CDR3_beta", "V_alpha",
                                             "V_beta",     "J_beta",    "Epitope",
                                             "clone_id",   "MHC",       "Label"};
const std::vector<std::vector<std::string>> kPairs = {
    {"CAVRDF", "CASSIRSSYEQYF", "TRAV27", "TRBV19*01", "TRBJ2-7*01", "GILGFVFTL", "1.0",
     "HLA-A*02:01", "1"},
    {"", "", "", "", "", "", "", "", ""},
    {"NA", "CASSXF", "nonsense", "TRBV6S4", "TRBJ2-7", "NAN", "x", "A2", "maybe"},
    {" CAVRDF ", "ASSIRSSYEQY", "TRAV29DV5", "TRBV6-2/6-3", "", "NLVPMVATV_HLA-A*02:01", "-",
     "HLA-DRA*01:01", "0"},
    {"a,b", "say \"CASSF\"", "'", "\xC3\xA9", "\t", ";", "\x01", "#N/A", "swapped"}};

}  // namespace

TEST_CASE("columns are read as a CSV of them would be") {
  check_both_ways(columns_of(kPairNames, kPairs), "auto");
  check_both_ways(columns_of({"CDR3_beta"}, {{"CASSF"}, {""}, {"CASSIRSSYEQYF"}}), "auto");
  // Values and names that a CSV does not keep apart, or by which it counts lines.
  check_both_ways(columns_of({"CDR3_beta", "note"}, {{"CASSF", "a\nb"},
                                                     {"CASSXF", "\r\n"},
                                                     {"CASSIRSSYEQYF", std::string(2000, 'x')}}),
                  "auto");
  check_both_ways(columns_of({"CDR3_beta", "note"}, {{"CASSF", std::string("a\0b", 3)}}), "auto");
  for (const char* name :
       {"a;b;c;d", "a\tb\tc", "say \"a\"", "a\nb", "", " ", "\xEF\xBB\xBF", "a,b", "CDR3_beta"}) {
    check_both_ways(columns_of({"CDR3_beta", name}, {{"CASSF", "1"}}), "auto");
    check_both_ways(columns_of({name, "CDR3_beta"}, {{"1", "CASSF"}}), "auto");
  }
  check_both_ways(columns_of({"name", "size"}, {{"a", "1"}}), "auto");
  const std::vector<std::vector<std::string>> many(kMostRows + 1, {"CASSF"});
  check_both_ways(columns_of({"CDR3_beta"}, many), "auto");
}

TEST_CASE("every format reads columns as it reads a CSV") {
  const Columns pairs = columns_of(kPairNames, kPairs);
  const Columns airr = columns_of(
      {"sequence_id", "v_call", "j_call", "junction_aa", "cdr3_aa", "locus", "cell_id",
       "duplicate_count", "productive", "Epitope"},
      {{"a", "TRAV27*01", "TRAJ42*01", "CAGAGSQGNLIF", "", "TRA", "c1", "3", "T", "GILGFVFTL"},
       {"b", "TRBV19*01", "TRBJ2-7", "", "ASSIRSSYEQY", "TRB", "c2", "", "T", ""},
       {"c", "TRBV6-2/6-3", "TRBJ2-7", "CASSF", "", "TRB", "c1", "4", "T", "NLVPMVATV"},
       {"d", "TRBV19", "", "CASSXF", "", "TRB", "c1", "5", "F", ""},
       {"e", "IGHV1", "", "CARF", "", "IGH", "", "1", "T", ""},
       {"f", "TRBV19", "", "CASSYF", "", "TRB", "", "1", "T", ""}});
  const Columns cells =
      columns_of({"barcode", "chain", "v_gene", "j_gene", "cdr3", "umis", "species"},
                 {{"x", "TRB", "TRBV19", "TRBJ2-7", "CASSIRSSYEQYF", "2", "human"},
                  {"y", "TRA", "TRAV27", "TRAJ42", "CAGAGSQGNLIF", "1", "human"},
                  {"x", "TRA", "TRAV27", "TRAJ42", "CAGAGSQGNLIF", "7", "mouse"}});
  const Columns complexes = columns_of(
      {"complex.id", "gene", "cdr3", "v.segm", "j.segm", "species", "mhc.a", "mhc.b", "mhc.class",
       "antigen.epitope", "antigen.gene", "antigen.species", "reference.id", "method", "meta",
       "cdr3fix", "vdjdb.score"},
      {{"1", "TRA", "CAGAGSQGNLIF", "TRAV27*01", "TRAJ42*01", "HomoSapiens", "HLA-A*02:01", "B2M",
        "MHCI", "GILGFVFTL", "M", "InfluenzaA", "r", "{}", "{}", "{}", "2"},
       {"0", "TRB", "CASSIRSSYEQYF", "TRBV19*01", "TRBJ2-7*01", "HomoSapiens", "HLA-A*02:01", "B2M",
        "MHCI", "GILGFVFTL", "M", "InfluenzaA", "r", "{}", "{}", "{}", "2"},
       {"1", "TRB", "CASSIRSSYEQYF", "TRBV19*01", "TRBJ2-7*01", "HomoSapiens", "HLA-A*02:01", "B2M",
        "MHCI", "GILGFVFTL", "M", "InfluenzaA", "r", "{}", "{}", "{}", "2"}});
  const Columns values = columns_of({"CASSIRSSYEQYF", "GILGFVFTL", "1"},
                                    {{"CASSYF", "NLVPMVATV", "0"}, {"CASSXF", "NLVPMVATV", "0"}});
  const Columns two_rows = columns_of({"Chain 1", "Chain 1.", "Epitope", "Chain 2", "Chain 2."},
                                      {{"Type", "CDR3 Curated", "Name", "Type", "CDR3 Curated"},
                                       {"alpha", "CAVRDF", "GILGFVFTL", "beta", "CASSF"},
                                       {"beta", "CASSIRSSYEQYF", "", "", ""}});
  for (const Columns& columns : {pairs, airr, cells, complexes, values, two_rows}) {
    check_both_ways(columns, "auto");
    check_both_ways(columns, "nonsense");
    for (const data::FormatName& format : data::format_names())
      check_both_ways(columns, std::string(format.name));
  }
}

TEST_CASE("usual bodies are read at once, as the plain reader reads them") {
  for (const std::string body :
       {R"({"rows": [{"CDR3_beta": "CASSF", "clone_id": 17, "a": true}]})",
        R"({"rows":[{"a":null,"b":-1,"c":0,"d":0.50,"e":false},{"c":"x","a":"y"}]})",
        R"( { "rows" : [ { "a" : "1" } , { } ,{"a":"", "a": "2"}, {"b": "new"} ] } )",
        R"({"rows":[{},{"a":"x,'#;"}]})"}) {
    CAPTURE(body);
    const auto quick = quick_rows(body, 9);
    REQUIRE(quick);
    CHECK(as_columns(*quick) == columns_of_json(body, 9));
  }
  // Left to the plain reader, which knows what is wrong and what is unusual.
  for (const std::string body : {"",
                                 "[]",
                                 "{}",
                                 R"({"rows":[]})",
                                 R"({"rows":[{}]})",
                                 R"({"rows":[{"a":1}]}x)",
                                 R"({"rows":[{"a":1},]})",
                                 R"({"rows":[{"a":1,}]})",
                                 R"({"rows":[{"a":[1]}]})",
                                 R"({"rows":[{"a":"\u0041"}]})",
                                 R"({"rows":[{"a":"\/"}]})",
                                 R"({"rows":[{"a":1e3}]})",
                                 R"({"rows":[{"a":-0}]})",
                                 R"({"rows":[{"a":01}]})",
                                 R"({"rows":[{"a":1.}]})",
                                 R"({"rows":[{"a":12345678901234567890}]})",
                                 R"({"rows":[{"a":tru}]})",
                                 R"({"rows":[{"a":1}],"more":1})",
                                 R"({"more":1,"rows":[{"a":1}]})",
                                 "{\"rows\":[{\"a\":\"\xC3\xA9\"}]}",
                                 "{\"rows\":[{\"a\":\"b\tc\"}]}",
                                 "{\"rows\":[{\"a;\":\"b\"}]}",
                                 R"({"rows":[{"a":"b)"}) {
    CAPTURE(body);
    CHECK_FALSE(quick_rows(body, 9));
  }
  const std::string two = R"({"rows":[{"a":1},{"a":1}]})";
  CHECK_FALSE(quick_rows(two, 1));
  const std::string nul("{\"rows\":[{\"a\":1}]}\0", 19);
  CHECK_FALSE(quick_rows(nul, 9));
  std::string wide = R"({"rows":[{"a":1},)";
  for (int i = 0; i < 20; ++i) wide += "{\"k" + std::to_string(i) + "\":1},";
  wide.back() = ']';
  wide += '}';
  CHECK_FALSE(quick_rows(wide, 99));
  CHECK(columns_of_json(wide, 99).size() == 21);
}

TEST_CASE("what is read at once is what the plain reader reads, whatever was changed") {
  const std::string body =
      R"({"rows": [{"CDR3_beta": "CASSF", "clone_id": 17, "b": true, "c": null, "d": -0.5},)"
      R"( {"clone_id": 0, "CDR3_beta": "CASSIRSSYEQYF", "MHC": "HLA-A*02:01"}, {}]})";
  const std::string letters = "{}[]\":,\\ \t\n0123456789.-+eEntrufalsx\x01\xC3\xA9\x7F";
  Rng rng(3, "json rows");
  std::size_t quickly = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string changed = body;
    for (std::uint64_t change = rng.below(4); change > 0; --change) {
      const auto at = static_cast<std::size_t>(rng.below(changed.size()));
      const char letter = letters[static_cast<std::size_t>(rng.below(letters.size()))];
      switch (rng.below(4)) {
        case 0:
          changed.erase(at, 1 + static_cast<std::size_t>(rng.below(6)));
          break;
        case 1:
          changed.insert(at, 1, letter);
          break;
        case 2:
          changed[at] = letter;
          break;
        default:
          changed.insert(at, changed.substr(at / 2, static_cast<std::size_t>(rng.below(40))));
      }
      if (changed.empty()) changed = body;
    }
    const auto quick = quick_rows(changed, 4);
    if (!quick) continue;
    ++quickly;
    CAPTURE(changed);
    REQUIRE(as_columns(*quick) == columns_of_json(changed, 4));
  }
  CHECK(quickly > 10'000);
}

TEST_CASE("messages to whoever asks the API name what a request has") {
  const auto said = [](const std::string& body, const std::string& query) {
    Request request;
    request.query = {{"format", query}};
    const stages::TableNeeds needs = {
        {Column::kCdr3Beta, Column::kEpitope}, {}, {stages::AnswerColumn::kScore}};
    return outcome_of(
        [&] { return table_of(body, "application/json", wish_of(request).source, needs, 9); });
  };
  CHECK(said(R"({"rows":[{"name":"x","size":1}]})", "auto").find("the format with ?format=") !=
        std::string::npos);
  CHECK(said(R"({"rows":[{"CDR3_beta":"CASSF"}]})", "auto").find("?epitope=") != std::string::npos);
  CHECK(
      said(R"({"rows":[{"CDR3_alpha":"CAVF","Epitope":"GILGFVFTL"}]})", "plain").find("?format=") !=
      std::string::npos);
  for (const char* body : {R"({"rows":[{"name":"x"}]})", R"({"rows":[{"CDR3_beta":"CASSF"}]})",
                           R"({"rows":[{"cdr3":"CASSF","chain":"TRB","Epitope":"x"}]})"}) {
    for (const char* format : {"auto", "plain", "10x"})
      CHECK(said(body, format).find("--") == std::string::npos);
  }
  // Whoever gives columns alone can only name them.
  stages::TableSource source;
  source.path = "inputs";
  source.means = data::Means::kNames;
  for (const char* name : {"name", "size", "CDR3_alpha"}) {
    const std::string text = outcome_of(
        [&] { return table_of(columns_of({name}, {{"CASSF"}}), source, kNeeds, kMostRows); });
    CAPTURE(text);
    CHECK(text.starts_with("error: inputs:"));
    CHECK(text.find_first_of("?=") == std::string::npos);
    CHECK(text.find("--") == std::string::npos);
  }
}
