// What onehot, blosum, blosum_mds and learned refuse or cannot give back.
#include "encoder_fixtures.hpp"

namespace tcrops::data {

TEST_CASE("a name that was not seen is unknown, and the encoder says so") {
  const auto records = random_records(50, 3);
  for (const std::string& name : residue_encoders()) {
    INFO(name);
    const auto encoder = fit(name, records, encodable_columns());
    Record record = records[5];
    record[Column::kMhc] = "HLA-Z*99:99";
    record[Column::kJBeta] = "";
    const EncodedRows rows = encode_all(*encoder, {records[5], record});
    const auto why = encoder->why_not_invertible(rows, 1);
    REQUIRE(why.has_value());
    CHECK(why->column == Column::kMhc);
    CHECK(why->reason.find("not among those") != std::string::npos);
    Record expected = record;
    expected[Column::kMhc].clear();
    CHECK(encoder->decode(rows, 1).values == expected.values);
    CHECK_FALSE(encoder->why_not_invertible(rows, 0).has_value());
  }
  // To a network an unknown name is no name; only an embedding can tell the two apart.
  Record unknown;
  unknown[Column::kMhc] = "HLA-Z*99:99";
  const auto onehot = fit("onehot", records, encodable_columns());
  CHECK(features_of(*onehot, unknown) == std::vector<float>(onehot->feature_width(), 0.0F));
}

TEST_CASE("what does not fit is refused with column and reason") {
  const auto records = random_records(50, 4);
  for (const std::string& name : residue_encoders()) {
    INFO(name);
    const auto encoder = fit(name, records, encodable_columns());
    EncodedRows rows = encode_all(*encoder, records);
    const auto before = rows.codes;
    const auto fault = [&](Column column, const std::string& text) {
      Record record = records[0];
      record[column] = text;
      const auto found = encoder->encode(record, rows);
      return found && found->column == column ? found->reason : std::string();
    };
    CHECK(fault(Column::kCdr3Beta, "CAXF").find("letter 'X' is not an amino acid") == 0);
    CHECK(fault(Column::kEpitope, "cas").find("letter 'c'") == 0);
    CHECK(fault(Column::kCdr1Beta, "\xC3\xA4").find("byte 0xC3") == 0);
    CHECK(fault(Column::kCdr2Alpha, std::string(21, 'A')).find("has 21 letters") == 0);
    CHECK(fault(Column::kMhc, std::string(256, 'A')).find("has 256 letters") == 0);
    CHECK(rows.codes == before);
    CHECK(rows.rows == 50);
  }
}

TEST_CASE("tables that no encoder can be fitted on") {
  std::vector<Record> records = {epitope("NLV"), epitope("GIL")};
  records[0].line = 2;
  records[1].line = 3;
  CHECK(fails_with(ExitCode::kConfiguration, "encoder \"blosom\" is not known",
                   [&] { (void)fit("blosom", records, {Column::kEpitope}); }));
  CHECK(fails_with(ExitCode::kConfiguration, "padding \"middle\" is not known",
                   [] { (void)padding_named("middle"); }));
  for (const std::string& name : encoder_names()) {
    INFO(name);
    CHECK(
        fails_with(ExitCode::kConfiguration, "no features", [&] { (void)fit(name, records, {}); }));
    CHECK(fails_with(ExitCode::kInputData, "no row",
                     [&] { (void)fit(name, {}, {Column::kEpitope}); }));
    CHECK(fails_with(ExitCode::kInputData, "every feature is empty", [&] {
      (void)fit(name, records, {Column::kMhc, Column::kCdr3Beta});
    }));
    std::vector<Record> many(256, epitope("NLV"));
    for (std::size_t i = 0; i < many.size(); ++i) {
      many[i].line = i + 2;
      if (i > 0) many[i][Column::kMhc] = "HLA-" + std::to_string(i);
    }
    if (name == "scalar") continue;
    CHECK(fails_with(ExitCode::kConfiguration, "clone_id", [&] {
      (void)fit(name, records, {Column::kEpitope, Column::kCloneId});
    }));
    CHECK(fails_with(ExitCode::kInputData, "line 257: MHC is the 255th name",
                     [&] { (void)fit(name, many, {Column::kMhc}); }));
    many.pop_back();
    CHECK_NOTHROW(fit(name, many, {Column::kMhc}));
    std::vector<Record> odd = records;
    odd[1][Column::kEpitope] = "GIZ";
    CHECK(fails_with(ExitCode::kInputData, "line 3: Epitope holds letter 'Z'",
                     [&] { (void)fit(name, odd, {Column::kEpitope}); }));
    odd[1][Column::kEpitope] = std::string(256, 'A');
    CHECK(fails_with(ExitCode::kInputData, "line 3: Epitope has 256 characters",
                     [&] { (void)fit(name, odd, {Column::kEpitope}); }));
    odd[1] = epitope("GIL");
    odd[1].line = 3;
    odd[1][Column::kMhc] = "HLA\n";
    CHECK(fails_with(ExitCode::kInputData, "line 3: MHC holds byte 0x0A",
                     [&] { (void)fit(name, odd, {Column::kMhc}); }));
  }
}

TEST_CASE("a column without any name keeps its place and tells nothing") {
  const std::vector<Record> records = {epitope("NLV")};
  const auto encoder = fit("onehot", records, {Column::kEpitope, Column::kMhc});
  CHECK(encoder->feature_width() == 3 * 20);
  EncodedRows rows = encode_all(*encoder, records);
  CHECK(rows.code_width == 4);
  CHECK(encoder->decode(rows, 0).values == records[0].values);
  rows.codes[3] = 7;
  CHECK(fails_with(ExitCode::kArtifact, "name number 6", [&] { (void)encoder->decode(rows, 0); }));
}

TEST_CASE("a tampered description is an artifact error") {
  const auto records = random_records(20, 5);
  for (const std::string& name : residue_encoders()) {
    const Json good = fit(name, records, encodable_columns())->to_json();
    const auto corrupt = [&](const Json& description) {
      return fails_with(ExitCode::kArtifact,
                        "encoder:", [&] { (void)encoder_from_json(description); });
    };
    for (const auto& [key, value] : good.items()) {
      INFO(name << " " << key);
      Json without = good;
      without.erase(key);
      CHECK(corrupt(without));
      for (const Json& wrong : {Json(nullptr), Json(7), Json("x"), Json::array(), Json::object()}) {
        Json changed = good;
        changed[key] = wrong;
        CHECK(corrupt(changed));
      }
    }
    const auto with = [&](const char* pointer, const Json& value) {
      Json changed = good;
      changed[Json::json_pointer(pointer)] = value;
      return corrupt(changed);
    };
    CHECK(with("/extra", 1));
    CHECK(with("/features/0", "clone_id"));
    CHECK(with("/widths/loop", 256));
    CHECK(with("/widths/gene", 3));
    CHECK(with("/names/MHC/0", "zzz"));
    CHECK(with("/names/MHC/0", ""));
    CHECK(with("/names/MHC/1", good["names"]["MHC"][0]));
    CHECK(with("/names/Epitope", Json::array()));
    CHECK(with("/names/MHC", std::vector<std::string>(255, "a")));
    if (name == "blosum") {
      CHECK(with("/table/3", Json::array({1.0})));
      CHECK(with("/table/3/0", "1"));
      CHECK(with("/table/3/0", 1e300));
      CHECK_FALSE(with("/table/3/0", 0.5));
    }
  }
}

TEST_CASE("rows that the encoder did not make are refused") {
  const auto records = random_records(10, 6);
  const auto encoder = fit("blosum", records, encodable_columns());
  EncodedRows rows = encode_all(*encoder, records);
  const auto refused = [&](ExitCode code) {
    std::vector<float> features(encoder->feature_width());
    return fails_with(code, "", [&] { (void)encoder->decode(rows, 3); }) &&
           fails_with(code, "", [&] { (void)encoder->why_not_invertible(rows, 3); }) &&
           fails_with(code, "", [&] { encoder->expand(rows, 3, 4, features); });
  };
  CHECK_FALSE(refused(ExitCode::kArtifact));
  rows.codes[3 * rows.code_width] = 21;
  CHECK(refused(ExitCode::kArtifact));
  rows.codes.pop_back();
  CHECK(refused(ExitCode::kArtifact));
  rows = {};
  CHECK(refused(ExitCode::kArtifact));
  EncodedRows narrow = encode_all(*fit("blosum", records, {Column::kMhc}), records);
  CHECK(fails_with(ExitCode::kArtifact, "another encoder",
                   [&] { (void)encoder->encode(records[0], narrow); }));
}

TEST_CASE("a code outside its table is told with its row, the first of several") {
  const auto records = random_records(40, 6);
  for (const std::string name : {"scalar", "blosum"}) {
    const auto encoder = fit(name, records, encodable_columns());
    EncodedRows rows = encode_all(*encoder, records);
    const auto said = [&](std::size_t begin, std::size_t end, const std::string& text) {
      return fails_with(ExitCode::kArtifact, text,
                        [&] { check_rows(encoder->expansion(), rows, begin, end); });
    };
    CHECK_FALSE(said(0, 40, ""));
    rows.codes[30 * rows.code_width] = 251;
    rows.codes[22 * rows.code_width - 1] = 252;  // of row 21, the last
    CHECK(said(0, 40, "encoded row 21: letter number 252 is not in the alphabet"));
    CHECK(said(22, 40, "encoded row 30: letter number 251 is not in the alphabet"));
    CHECK(said(21, 22, "encoded row 21: letter number 252 is not in the alphabet"));
    CHECK_FALSE(said(0, 21, ""));
    CHECK_FALSE(said(22, 30, ""));
    CHECK_FALSE(said(21, 21, ""));
  }
}

}  // namespace tcrops::data
