// Specifications of the architectures that know columns, and the pace of the learning rate.
#include "catch_all.hpp"
#include "tcr_problem.hpp"

#include <tcrops/nn/train_options.hpp>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

const TcrProblem& problem(bool learned) {
  static const TcrProblem fixed(false);
  static const TcrProblem with_embedding(true);
  return learned ? with_embedding : fixed;
}

Json spec_json(const std::string& architecture, const std::string& head = "pan") {
  NetworkOptions options;
  options.architecture = architecture;
  options.head = head;
  return to_json(problem(false).spec(options));
}

bool refused(Json json, const std::string& key, const Json& value) {
  json[key] = value;
  return error_code([&] { static_cast<void>(spec_from_json(json)); }) == ExitCode::kArtifact;
}

// The problem with these options; empty when there is none.
std::string problem_with(const NetworkOptions& options, const data::Expansion& expansion,
                         const std::vector<std::string>& epitopes = {"AAA"}) {
  try {
    static_cast<void>(make_spec(options, expansion, epitopes, 5));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConfiguration);
    return error.what();
  }
  return {};
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every specification survives JSON") {
  for (const Variant& variant : variants()) {
    INFO(variant.name);
    const Json json = to_json(problem(variant.learned).spec(variant.options));
    CHECK(to_json(spec_from_json(parse_json(canonical_json(json), "test"))) == json);
  }
}

TEST_CASE("a specification without one of its parts is refused") {
  for (const Variant& variant : variants()) {
    const Json good = to_json(problem(variant.learned).spec(variant.options));
    for (const auto& [key, value] : good.items()) {
      // What was not there before has a meaning when it is missing.
      if (key == "dropout" || key == "inputs" || key == "embedding" || key == "epitopes" ||
          key == "competing")
        continue;
      INFO(variant.name << " " << key);
      Json bad = good;
      bad.erase(key);
      CHECK(error_code([&] { static_cast<void>(spec_from_json(bad)); }) == ExitCode::kArtifact);
    }
  }
}

TEST_CASE("a specification with a damaged part is refused") {
  for (const char* key : {"filters", "kernel_widths", "width", "blocks", "attention_heads",
                          "anchors", "anchor_kind", "readout", "cdr3_trim", "loop_weights",
                          "kernels", "epitopes", "competing", "inputs", "embedding", "dropout"}) {
    bool anywhere = false;
    for (const char* architecture : {"cnn", "attention", "kernel_mlp", "two_tower"}) {
      const Json good = spec_json(architecture, "competing");
      if (!good.contains(key) && std::string(key) != "embedding") continue;
      anywhere = true;
      INFO(architecture << " " << key);
      CHECK(refused(good, key, nullptr));
      CHECK(refused(good, key, "x"));
      CHECK(refused(good, key, -1));
      CHECK(refused(good, key, Json::array()));
      CHECK(refused(good, key, Json::array({nullptr})));
      CHECK(refused(good, key, Json::array({-1.0})));
      CHECK(refused(good, key, 1e300));
    }
    CHECK(anywhere);
  }
  CHECK(refused(spec_json("attention"), "attention_heads", 5));
  CHECK(refused(spec_json("cnn"), "widths", Json::array({8, 2})));
  CHECK(refused(spec_json("two_tower"), "width", 7));
  CHECK(refused(spec_json("mlp", "per_epitope"), "competing", true));  // one output too few
  const Json kernel = {{"chains", "both"}, {"scale", 1.0}, {"share", 1.0}};
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{
           {"chains", "gamma"}, {"scale", 0.0}, {"scale", "1"}, {"share", -1.0}}) {
    Json bad = kernel;
    bad[key] = value;
    CHECK(refused(spec_json("kernel_mlp"), "kernels", Json::array({bad})));
  }
}

TEST_CASE("what a network cannot be is said with the key") {
  const data::Expansion& expansion = problem(false).expansion;
  const auto with = [](auto&& change) {
    NetworkOptions options;
    options.architecture = "kernel_mlp";
    change(options);
    return options;
  };
  CHECK(problem_with(with([](auto&) {}), expansion).empty());
  const auto says = [&](const NetworkOptions& options, const std::string& part) {
    const std::string said = problem_with(options, expansion);
    INFO(said);
    CHECK(mentions(said, part));
  };
  says(with([](auto& o) { o.architecture = "cnm"; }), "\"cnm\"");
  says(with([](auto& o) { o.head = "pen"; }), "network.head \"pen\"");
  says(with([](auto& o) { o.activation = "rely"; }), "network.activation \"rely\"");
  says(with([](auto& o) { o.norm = "batches"; }), "network.norm \"batches\"");
  says(with([](auto& o) { o.readout = "density"; }), "network.head");
  says(with([](auto& o) { o.readout = "dense"; }), "network.readout");
  says(with([](auto& o) { o.anchor_kind = "loose"; }), "network.anchor_kind");
  says(with([](auto& o) { o.cdr3_trim = {1}; }), "network.cdr3_trim");
  says(with([](auto& o) { o.loop_weights = {"CDR3_gamma=1"}; }), "network.loop_weights");
  says(with([](auto& o) { o.loop_weights = {"CDR3_beta=0"}; }), "network.loop_weights");
  for (const char* kernel : {"", "both", "both:0", "both:x", "gamma:1", "both:1:0", "both:1:1:1"})
    says(with([&](auto& o) { o.kernels = {kernel}; }), "network.kernels");

  data::Expansion no_epitope;
  no_epitope.tables = expansion.tables;
  no_epitope.add_codes(data::Column::kVBeta, 8, 1);
  NetworkOptions options;
  options.architecture = "mlp";
  options.head = "per_epitope";
  CHECK(mentions(problem_with(options, no_epitope), "feature Epitope"));
  CHECK(mentions(problem_with(options, expansion, {}), "no epitope"));
  options.head = "pan";
  options.architecture = "two_tower";
  CHECK(mentions(problem_with(options, no_epitope), "features of the TCR and of the epitope"));
  for (const char* architecture : {"cnn", "attention"}) {
    options.architecture = architecture;
    CHECK(mentions(problem_with(options, no_epitope), "needs a sequence"));
  }
}

TEST_CASE("the learning rate follows its schedule") {
  const auto factor = [](const char* schedule, double done, std::int64_t warmup = 0) {
    return learning_rate_factor({.schedule = schedule, .warmup_epochs = warmup}, done, 8);
  };
  for (const double done : {0.0, 3.9, 8.0}) CHECK(factor("constant", done) == 1.0);
  CHECK(factor("cosine", 0.0) == 1.0);
  CHECK(factor("cosine", 2.0) == Approx(0.8535533906));
  CHECK(factor("cosine", 4.0) == Approx(0.5));
  CHECK(factor("cosine", 8.0) == Approx(0.0).margin(1e-12));
  CHECK(factor("linear", 6.0) == Approx(0.25));
  CHECK(factor("step", 3.9) == 1.0);
  CHECK(factor("step", 4.0) == 0.1);
  CHECK(factor("step", 6.0) == 0.01);
  CHECK(factor("constant", 0.5, 2) == Approx(0.25));
  CHECK(factor("linear", 1.0, 2) == Approx(0.875 * 0.5));
  CHECK(factor("constant", 2.0, 2) == 1.0);
}
