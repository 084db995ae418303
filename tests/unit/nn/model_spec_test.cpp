#include "catch_all.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <algorithm>
#include <error_code.hpp>
#include <limits>

using namespace tcrops;
using namespace tcrops::nn;

namespace {
const std::vector<std::string>& paper_nets() {
  static const std::vector<std::string> names = {"mlp_small", "mlp_medium", "mlp_large"};
  return names;
}
}  // namespace

TEST_CASE("the paper's three nets at its 123 inputs") {
  const ModelSpec small = make_spec("mlp_small", 123);
  CHECK(small.widths == std::vector<std::int64_t>{123, 61, 30, 1});
  CHECK(small.activation == "relu");
  CHECK(small.norm == "none");
  CHECK(small.parameters() == 123 * 61 + 61 + 61 * 30 + 30 + 30 + 1);

  const ModelSpec medium = make_spec("mlp_medium", 123);
  CHECK(medium.widths ==
        std::vector<std::int64_t>{123, 113, 103, 93, 83, 73, 63, 53, 43, 33, 23, 13, 1});
  CHECK(medium.activation == "elu");
  CHECK(medium.norm == "batch");

  const ModelSpec large = make_spec("mlp_large", 123);
  REQUIRE(large.widths.size() == 25);
  for (std::size_t i = 0; i < 24; ++i)
    CHECK(large.widths[i] == 123 - 5 * static_cast<std::int64_t>(i));
  CHECK(large.widths[23] == 8);
  CHECK(large.widths[24] == 1);
}

TEST_CASE("widths stay positive and fall for every number of inputs") {
  for (const std::string& name : paper_nets()) {
    for (std::int64_t inputs = 4; inputs <= 400; ++inputs) {
      const ModelSpec spec = make_spec(name, inputs);
      CHECK(spec.widths.front() == inputs);
      CHECK(spec.widths.back() == 1);
      CHECK(std::is_sorted(spec.widths.rbegin(), spec.widths.rend()));
      CHECK(*std::min_element(spec.widths.begin(), spec.widths.end()) >= 1);
      CHECK(spec.widths.size() == make_spec(name, 123).widths.size());
    }
  }
}

TEST_CASE("a step that does not fit shrinks evenly") {
  const auto widths = make_spec("mlp_medium", 40).widths;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    CHECK(widths[i] - widths[i + 1] >= 3);
    CHECK(widths[i] - widths[i + 1] <= 4);
  }
}

TEST_CASE("unknown names and too few inputs are configuration errors") {
  for (const std::int64_t inputs : {std::int64_t{3}, std::int64_t{0}, std::int64_t{-5},
                                    std::numeric_limits<std::int64_t>::max()}) {
    for (const std::string& name : paper_nets()) {
      CHECK(error_code([&] { static_cast<void>(make_spec(name, inputs)); }) ==
            ExitCode::kConfiguration);
    }
  }
  CHECK(error_code([] { static_cast<void>(make_spec("mlp_smal", 123)); }) ==
        ExitCode::kConfiguration);
}

TEST_CASE("a specification survives JSON") {
  for (const std::string& name : paper_nets()) {
    const ModelSpec spec = make_spec(name, 60);
    const ModelSpec again = spec_from_json(parse_json(canonical_json(to_json(spec)), "test"));
    CHECK(to_json(again) == to_json(spec));
  }
}

TEST_CASE("damaged specifications are refused") {
  const Json good = to_json(make_spec("mlp_medium", 60));
  const auto refused = [&](const char* key, const Json& value) {
    Json bad = good;
    bad[key] = value;
    return error_code([&] { static_cast<void>(spec_from_json(bad)); }) == ExitCode::kArtifact;
  };
  for (const char* key : {"architecture", "widths", "activation", "norm"}) {
    Json bad = good;
    bad.erase(key);
    CHECK(error_code([&] { static_cast<void>(spec_from_json(bad)); }) == ExitCode::kArtifact);
    CHECK(refused(key, nullptr));
    CHECK(refused(key, 7));
  }
  CHECK(refused("activation", "tangent"));
  CHECK(refused("widths", Json::array({})));
  CHECK(refused("widths", Json::array({1})));
  CHECK(refused("widths", Json::array({4, 2})));
  CHECK(refused("widths", Json::array({4, 0, 1})));
  CHECK(refused("widths", Json::array({4, -3, 1})));
  CHECK(refused("widths", Json::array({4, 2.5, 1})));
  CHECK(refused("widths", Json::array({4, "2", 1})));
  CHECK(refused("widths", Json::array({4, 1e18, 1})));
  CHECK(refused("widths", Json::array({4, 18446744073709551615U, 1})));
  CHECK(refused("widths", Json::array({1000000, 1000000, 1})));
  CHECK(refused("widths", std::vector<int>(5000, 1)));
  CHECK(error_code([] { static_cast<void>(spec_from_json(Json::array())); }) ==
        ExitCode::kArtifact);
}
