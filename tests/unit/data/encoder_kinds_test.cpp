// What the encoders make of records, and back.
#include "encoder_fixtures.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace tcrops::data {
namespace {

std::vector<float> repeated(std::initializer_list<std::vector<float>> parts) {
  std::vector<float> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<float> one_of(std::size_t place, std::size_t size) {
  std::vector<float> row(size, 0.0F);
  row.at(place) = 1.0F;
  return row;
}

// The points that blosum_mds gives the 20 letters, from its JSON.
std::vector<std::vector<double>> points() {
  return fit("blosum_mds", {epitope("A")}, {Column::kEpitope})
      ->to_json()
      .at("table")
      .get<std::vector<std::vector<double>>>();
}

double square_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

TEST_CASE("every encoder gives back what it took, with either padding") {
  const auto records = random_records(300, 1);
  for (const std::string& name : encoder_names()) {
    for (const Padding padding : {Padding::kEnd, Padding::kCentre}) {
      INFO(name << " " << static_cast<int>(padding));
      const auto encoder = fit(name, records, encodable_columns(), padding);
      CHECK(encoder->features() == encodable_columns());
      const auto again =
          encoder_from_json(parse_json(canonical_json(encoder->to_json()), "encoder.json"));
      CHECK(canonical_json(again->to_json()) == canonical_json(encoder->to_json()));
      const EncodedRows rows = encode_all(*encoder, records);
      const EncodedRows same = encode_all(*again, records);
      CHECK(rows.codes == same.codes);
      std::vector<float> features(rows.rows * encoder->feature_width());
      std::vector<float> others(features.size());
      encoder->expand(rows, 0, rows.rows, features);
      again->expand(rows, 0, rows.rows, others);
      CHECK(features == others);
      for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK_FALSE(encoder->why_not_invertible(rows, i).has_value());
        CHECK(again->decode(rows, i).values == records[i].values);
      }
    }
  }
}

TEST_CASE("different records have different features") {
  const auto records = random_records(300, 2);
  std::set<std::array<std::string, kColumnCount>> distinct;
  for (const Record& record : records) distinct.insert(record.values);
  for (const std::string& name : encoder_names()) {
    for (const Padding padding : {Padding::kEnd, Padding::kCentre}) {
      const auto encoder = fit(name, records, encodable_columns(), padding);
      std::set<std::vector<float>> seen;
      for (const Record& record : records) seen.insert(features_of(*encoder, record));
      CHECK(seen.size() == distinct.size());
    }
  }
}

TEST_CASE("a onehot row, by hand") {
  Record a = epitope("AY");
  a[Column::kVBeta] = "TRBV9*01";
  a[Column::kMhc] = "HLA-B*07:02";
  Record b = epitope("C");
  b[Column::kVBeta] = "TRBV10-1*01";
  const std::vector<Column> features = {Column::kMhc, Column::kEpitope, Column::kVBeta};
  const auto encoder = fit("onehot", {a, b}, features);
  CHECK(encoder->features() == std::vector<Column>{Column::kVBeta, Column::kEpitope, Column::kMhc});
  // TRBV10-1*01 before TRBV9*01, then two letters of 20, then the one MHC.
  CHECK(encode_all(*encoder, {a, b}).codes == std::vector<std::uint8_t>{3, 1, 20, 2, 2, 2, 0, 0});
  CHECK(features_of(*encoder, a) ==
        repeated({one_of(1, 2), one_of(0, 20), one_of(19, 20), {1.0F}}));
  CHECK(features_of(*encoder, b) ==
        repeated({one_of(0, 2), one_of(1, 20), std::vector<float>(20, 0.0F), {0.0F}}));
  CHECK(features_of(*encoder, Record{}) == std::vector<float>(43, 0.0F));
}

TEST_CASE("a blosum row, by hand") {
  const auto encoder = fit("blosum", {epitope("WA")}, {Column::kEpitope});
  // Rows W and A of the published matrix, in the order ACDEFGHIKLMNPQRSTVWY.
  const std::vector<int> w = {-3, -2, -4, -3, 1,  -2, -2, -3, -3, -2,
                              -1, -4, -4, -2, -3, -3, -2, -3, 11, 2};
  const std::vector<int> a = {4,  0,  -2, -1, -2, 0, -2, -1, -1, -1,
                              -1, -2, -1, -1, -1, 1, 0,  0,  -3, -2};
  std::vector<float> expected;
  for (const auto* row : {&w, &a}) {
    for (const int value : *row) expected.push_back(static_cast<float>(value) / 4.0F);
  }
  CHECK(features_of(*encoder, epitope("WA")) == expected);
  std::fill(expected.begin() + 20, expected.end(), 0.0F);
  CHECK(features_of(*encoder, epitope("W")) == expected);
}

TEST_CASE("blosum_mds keeps the distances") {
  // BLOSUM62 through the other encoder.
  const Json blosum = fit("blosum", {epitope("A")}, {Column::kEpitope})->to_json().at("table");
  const auto at = points();
  REQUIRE(at.size() == 20);
  double worst = 0;
  for (std::size_t a = 0; a < 20; ++a) {
    CHECK(square_distance(at[a], std::vector<double>(at[a].size(), 0.0)) ==
          Approx(4.0).epsilon(1e-6));
    for (std::size_t b = 0; b < a; ++b) {
      const double score = 4.0 * blosum.at(a).at(b).get<double>();
      CHECK(score == 4.0 * blosum.at(b).at(a).get<double>());
      const double wanted = std::sqrt(std::min(4.0, 4.0 - score));
      const double got = std::sqrt(square_distance(at[a], at[b]));
      worst = std::max(worst, std::abs(got / wanted - 1.0));
    }
  }
  // The rounding to 32 bits is all there is.
  CHECK(worst < 5e-7);
  const auto distance = [&](char a, char b) {
    return square_distance(at[kLetters.find(a)], at[kLetters.find(b)]);
  };
  CHECK(distance('I', 'V') == Approx(1.0).epsilon(1e-6));
  CHECK(distance('S', 'T') == Approx(3.0).epsilon(1e-6));
  CHECK(distance('W', 'D') == Approx(4.0).epsilon(1e-6));
}

TEST_CASE("learned gives the codes themselves") {
  Record a = epitope("AYC");
  a[Column::kVBeta] = "TRBV9*01";
  const auto encoder = fit("learned", {a, epitope("")}, {Column::kEpitope, Column::kVBeta});
  CHECK(features_of(*encoder, a) == std::vector<float>{2, 1, 20, 2});
  CHECK(features_of(*encoder, Record{}) == std::vector<float>{0, 0, 0, 0});
  Record other = a;
  other[Column::kVBeta] = "TRBV2*01";
  CHECK(features_of(*encoder, other).front() == 1.0F);
}

TEST_CASE("gaps go behind or into the middle") {
  const std::vector<Record> records = {epitope("ACDEFG")};
  const auto codes = [&](const std::string& name, Padding padding, const std::string& text) {
    const auto encoder = fit(name, records, {Column::kEpitope}, padding);
    return encode_all(*encoder, {epitope(text)}).codes;
  };
  for (const std::string& name : encoder_names()) {
    INFO(name);
    using Codes = std::vector<std::uint8_t>;
    CHECK(codes(name, Padding::kEnd, "ACDEF") == Codes{1, 2, 3, 4, 5, 0});
    CHECK(codes(name, Padding::kCentre, "ACDEFG") == Codes{1, 2, 3, 4, 5, 6});
    CHECK(codes(name, Padding::kCentre, "ACDEF") == Codes{1, 2, 3, 0, 4, 5});
    CHECK(codes(name, Padding::kCentre, "ACDE") == Codes{1, 2, 0, 0, 3, 4});
    CHECK(codes(name, Padding::kCentre, "G") == Codes{6, 0, 0, 0, 0, 0});
    CHECK(codes(name, Padding::kCentre, "") == Codes{0, 0, 0, 0, 0, 0});
  }
}

TEST_CASE("the scalar encoder pads names at the end and gives loops a length of their own") {
  Record a = epitope("ACD");
  a[Column::kVAlpha] = "AAAA";
  a[Column::kCdr1Alpha] = "GG";
  Record b = epitope("AC");
  b[Column::kVAlpha] = "AA";
  b[Column::kCdr2Beta] = "G";
  const std::vector<Column> features = {Column::kEpitope, Column::kVAlpha, Column::kCdr1Alpha,
                                        Column::kCdr2Beta};
  const auto encoder = fit("scalar", {a, b}, features, Padding::kCentre);
  CHECK(encoder->to_json().at("widths") ==
        Json{{"cdr3", 0}, {"epitope", 3}, {"gene", 4}, {"loop", 2}});
  CHECK(encoder->to_json().at("padding") == "centre");
  CHECK(encode_all(*encoder, {b}).codes ==
        std::vector<std::uint8_t>{1, 1, 0, 0, 1, 0, 2, 0, 0, 4, 0});
  // What the paper has is described as it always was.
  const Json plain = fit("scalar", {a, b}, {Column::kEpitope, Column::kVAlpha})->to_json();
  CHECK(canonical_json(plain) ==
        canonical_json({{"kind", "scalar"},
                        {"version", 1},
                        {"alphabet", "ACD"},
                        {"features", {"V_alpha", "Epitope"}},
                        {"widths", {{"cdr3", 0}, {"epitope", 3}, {"gene", 4}}}}));
}

TEST_CASE("an encoder reads its table, not what would be computed today") {
  Json description = fit("blosum_mds", {epitope("CA")}, {Column::kEpitope})->to_json();
  description["table"][0][2] = 0.125;
  const auto encoder = encoder_from_json(description);
  CHECK(features_of(*encoder, epitope("CA")).at(20 + 2) == 0.125F);
}

}  // namespace tcrops::data
