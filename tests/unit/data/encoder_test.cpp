#include "fixtures.hpp"

#include <tcrops/data/encoder.hpp>

#include <catch_all.hpp>

namespace tcrops::data {
namespace {

std::vector<Record> small_table() {
  return {make_record("CASSF", "GILGFVFTL", true, "25.0"),
          make_record("CASSQW", "NLV", false, "1.0"),
          make_record("CATF", "GLCTLVAML", false, "20300.0")};
}

EncodedRows encode_all(const Encoder& encoder, const std::vector<Record>& records) {
  EncodedRows rows;
  for (const Record& record : records) REQUIRE_FALSE(encoder.encode(record, rows).has_value());
  return rows;
}

std::optional<EncodeFault> fault_of(const Encoder& encoder, Column column,
                                    const std::string& value) {
  Record record = small_table()[0];
  record[column] = value;
  EncodedRows rows = encode_all(encoder, small_table());
  const auto fault = encoder.encode(record, rows);
  CHECK(rows.rows == (fault ? 3 : 4));
  CHECK(rows.codes.size() == rows.rows * rows.code_width);
  CHECK(rows.numbers.size() == rows.rows);
  return fault;
}

bool is_corrupt(const Json& description) {
  return fails_with(ExitCode::kArtifact, "encoder:", [&] { (void)encoder_from_json(description); });
}

}  // namespace

TEST_CASE("rows come back to the letter") {
  const auto records = small_table();
  const auto encoder = fit_scalar_encoder(records, all_columns());
  CHECK(encoder->feature_width() == 2 * 6 + 9 + 1 + 5 * 11);
  const EncodedRows rows = encode_all(*encoder, records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(encoder->decode(rows, i).values == records[i].values);
  }
}

TEST_CASE("letters become k/n in column order, padded with zeros") {
  std::vector<Record> records = {Record{}, Record{}};
  records[0].values = {"CA", "", "", "", "", "", "", "3", ""};
  records[1].values = {"C", "", "", "", "", "", "DEF", "7", ""};
  const auto encoder =
      fit_scalar_encoder(records, {Column::kCloneId, Column::kEpitope, Column::kCdr3Alpha});
  CHECK(encoder->features() ==
        std::vector<Column>{Column::kCdr3Alpha, Column::kEpitope, Column::kCloneId});
  std::vector<float> out(2 * encoder->feature_width());
  encoder->expand(encode_all(*encoder, records), 0, 2, out);
  const auto share = [](double k) { return static_cast<float>(k / 5.0); };
  CHECK(out == std::vector<float>{share(2), share(1), 0, 0, 0, 0, share(2), 0, share(3), share(4),
                                  share(5), 1});
}

TEST_CASE("clone_id may be left out") {
  std::vector<Record> records = small_table();
  records[0][Column::kCloneId] = "not a number";
  std::vector<Column> features = all_columns();
  std::erase(features, Column::kCloneId);
  const auto encoder = fit_scalar_encoder(records, features);
  const EncodedRows rows = encode_all(*encoder, records);
  CHECK(rows.number_width == 0);
  CHECK(encoder->decode(rows, 0)[Column::kCloneId].empty());
  CHECK(encoder->decode(rows, 2)[Column::kMhc] == "HLA-A*02:01");
}

TEST_CASE("clone_ids that would not come back are refused with their line") {
  const auto refuses = [](const std::string& a, const std::string& b, const std::string& part) {
    std::vector<Record> records = {make_record("CASSF", "GIL", true, a),
                                   make_record("CASSF", "GIL", true, b)};
    records[1].line = 3;
    const auto fit = [&] { (void)fit_scalar_encoder(records, all_columns()); };
    return fails_with(ExitCode::kInputData, part, fit) &&
           fails_with(ExitCode::kInputData, "clone_id cannot be a feature of this table", fit);
  };
  CHECK(refuses("1", "x", "line 3: clone_id \"x\" is not a number"));
  CHECK(refuses("1", "nan", "is not a number"));
  CHECK(refuses("1", "", "is not a number"));
  CHECK(refuses("1.0", "2", "line 3: clone_id \"2\" would be decoded as \"2.0\""));
  CHECK(refuses("1.0", "1e3", "would be decoded"));
  CHECK(refuses("-1e308", "1e308", "span"));
  std::vector<Record> many(3, make_record("CASSF", "GIL", true, "0"));
  many[1][Column::kCloneId] = "123456789";
  many[2][Column::kCloneId] = "12345679876";
  CHECK(fails_with(ExitCode::kInputData, "cannot be a feature",
                   [&] { (void)fit_scalar_encoder(many, all_columns()); }));
  for (const char* id : {"5", "5.0", "5.25", "-3"}) {
    const std::vector<Record> one = {make_record("CASSF", "GIL", true, id)};
    const auto encoder = fit_scalar_encoder(one, {Column::kCloneId});
    CHECK(encoder->decode(encode_all(*encoder, one), 0)[Column::kCloneId] == id);
  }
}

TEST_CASE("a record that does not fit names the column and the letter") {
  const auto encoder = fit_scalar_encoder(small_table(), all_columns());
  const auto letter = fault_of(*encoder, Column::kCdr3Beta, "CAYF");
  REQUIRE(letter.has_value());
  CHECK(letter->column == Column::kCdr3Beta);
  CHECK(letter->reason.find("letter 'Y'") == 0);
  CHECK(fault_of(*encoder, Column::kMhc, "\xC3\xA4")->reason.find("byte 0xC3") == 0);
  CHECK(fault_of(*encoder, Column::kCdr3Alpha, "CASSFFF")->reason.find("has 7 letters") == 0);
  CHECK(fault_of(*encoder, Column::kCloneId, "")->reason == "the value is missing");
  CHECK(fault_of(*encoder, Column::kCloneId, "abc")->reason == "is not a number");
  CHECK_FALSE(fault_of(*encoder, Column::kCloneId, "999999").has_value());
  CHECK_FALSE(fault_of(*encoder, Column::kVAlpha, "").has_value());
}

TEST_CASE("an encoder survives its JSON") {
  const auto records = small_table();
  const auto encoder = fit_scalar_encoder(records, all_columns());
  const std::string text = canonical_json(encoder->to_json());
  const auto again = encoder_from_json(parse_json(text, "encoder.json"));
  CHECK(canonical_json(again->to_json()) == text);
  const EncodedRows rows = encode_all(*encoder, records);
  const EncodedRows same = encode_all(*again, records);
  CHECK(rows.codes == same.codes);
  CHECK(rows.numbers == same.numbers);
  CHECK(again->decode(rows, 2).values == records[2].values);
}

TEST_CASE("a tampered encoder is an artifact error") {
  const Json good = fit_scalar_encoder(small_table(), all_columns())->to_json();
  CHECK(is_corrupt(Json::array()));
  for (const auto& [key, value] : good.items()) {
    Json without = good;
    without.erase(key);
    CHECK(is_corrupt(without));
    Json nothing = good;
    nothing[key] = nullptr;
    CHECK(is_corrupt(nothing));
  }
  const auto with = [&](const char* pointer, const Json& value) {
    Json changed = good;
    changed[Json::json_pointer(pointer)] = value;
    return is_corrupt(changed);
  };
  CHECK(with("/kind", "blosum"));
  CHECK(with("/version", 2));
  CHECK(with("/extra", 1));
  CHECK(with("/alphabet", "BA"));
  CHECK(with("/alphabet", "AA"));
  CHECK(with("/alphabet", "A\xC3\xA4"));
  CHECK(with("/features/0", "nonsense"));
  CHECK(with("/features/0", "MHC"));
  CHECK(with("/features", Json::array({"MHC"})));
  CHECK(with("/widths/cdr3", -1));
  CHECK(with("/widths/cdr3", 1'000'000'000));
  CHECK(with("/widths/cdr3", 2.5));
  CHECK(with("/clone_id/minimum", 1e9));
  CHECK(with("/clone_id/decimals", 100));
  CHECK(with("/clone_id/decimals", 0.5));
  CHECK(with("/clone_id/whole", 1));
}

TEST_CASE("rows of another encoder are refused") {
  const auto encoder = fit_scalar_encoder(small_table(), all_columns());
  const auto other = fit_scalar_encoder(small_table(), {Column::kEpitope});
  EncodedRows rows = encode_all(*other, small_table());
  CHECK(
      fails_with(ExitCode::kArtifact, "another encoder", [&] { (void)encoder->decode(rows, 0); }));
  rows.codes[0] = 200;
  CHECK(
      fails_with(ExitCode::kArtifact, "letter number 200", [&] { (void)other->decode(rows, 0); }));
  CHECK(fails_with(ExitCode::kConfiguration, "no features",
                   [&] { (void)fit_scalar_encoder(small_table(), {}); }));
  CHECK(fails_with(ExitCode::kInputData, "no row",
                   [&] { (void)fit_scalar_encoder({}, all_columns()); }));
}

}  // namespace tcrops::data
