#include <tcrops/core/error.hpp>
#include <tcrops/db/database.hpp>
#include <tcrops/tune/optuna_export.hpp>

#include <catch_all.hpp>
#include <error_code.hpp>
#include <optional>
#include <scratch_folder.hpp>

// What does not get as far as Optuna; interop.optuna_export_parity has the rest.

namespace tcrops::tune {
namespace {

const Space kSpace = {{"model", Choice{{"line", "net"}}},
                      {"depth", IntegerRange{1, 4}, Condition{"model", {"net"}}}};

Trial trial_of(std::int64_t number, Point point) {
  Trial trial;
  trial.number = number;
  trial.point = std::move(point);
  return trial;
}

const Trial kLine = trial_of(0, {{"model", "line"}});
const Trial kNet = trial_of(1, {{"model", "net"}, {"depth", std::int64_t{2}}});

struct Fixture {
  test::ScratchFolder folder;
  db::Database database = db::Database::open(db::address("sqlite:" + (folder / "s.db").string()));

  std::optional<ExitCode> code(const Space& space, const std::vector<Trial>& trials,
                               const OptunaExportOptions& options = {}) {
    return error_code([&] { export_to_optuna(database, "s", space, trials, options); });
  }
  // Tables, and rows of one of them.
  std::int64_t tables() {
    return db::integer(database.query("select count(*) from sqlite_master").at(0).at(0));
  }
  std::int64_t rows(const std::string& table) {
    return db::integer(database.query("select count(*) from " + table).at(0).at(0));
  }
};

TEST_CASE_METHOD(Fixture, "what is no point of the space is refused, and leaves nothing") {
  using Points = std::vector<Point>;
  for (const Point& point : Points{{{"model", "tree"}},
                                   {{"model", "net"}},
                                   {{"model", "line"}, {"depth", std::int64_t{2}}},
                                   {{"model", "net"}, {"depth", 2.0}},
                                   {{"model", "net"}, {"depth", std::int64_t{5}}}}) {
    CHECK(code(kSpace, {kLine, kNet, trial_of(2, point)}) == ExitCode::kArtifact);
    CHECK(tables() == 0);
  }
  CHECK(code(kSpace, {kLine, trial_of(-1, kNet.point)}) == ExitCode::kArtifact);
  CHECK(code({{"model", Choice{}}}, {}) == ExitCode::kConfiguration);
  CHECK(tables() == 0);
  export_to_optuna(database, "s", kSpace, std::vector{kLine, kNet});
  CHECK(rows("trials") == 2);
  CHECK(rows("trial_params") == 3);
}

TEST_CASE_METHOD(Fixture, "times belong to trials, attributes are an object") {
  OptunaExportOptions options;
  options.times = {{1.0, 2.0}};
  CHECK(code(kSpace, {kLine, kNet}, options) == ExitCode::kFailure);
  options.times.clear();
  options.attributes = Json::array({1});
  CHECK(code(kSpace, {kLine, kNet}, options) == ExitCode::kFailure);
  CHECK(tables() == 0);
}

TEST_CASE_METHOD(Fixture, "replacing a study leaves no row of the one before") {
  Trial reported = kNet;
  reported.state = TrialState::kPruned;
  reported.reports = {{1, 0.5}, {2, 0.25}};
  OptunaExportOptions options;
  options.attributes = {{"seed", 1}};
  export_to_optuna(database, "s", kSpace, std::vector{kLine, reported}, options);
  export_to_optuna(database, "other", kSpace, std::vector{kLine}, options);
  CHECK(code(kSpace, {kLine}) == ExitCode::kUsage);
  options.replace = true;
  options.attributes = Json::object();
  export_to_optuna(database, "s", kSpace, {}, options);
  CHECK(rows("studies") == 2);
  CHECK(rows("study_directions") == 2);
  CHECK(rows("study_user_attributes") == 1);
  CHECK(rows("trial_intermediate_values") == 0);
  for (const char* table : {"trials", "trial_params", "trial_values", "trial_user_attributes",
                            "trial_system_attributes"}) {
    CHECK(rows(table) == 1);
  }
}

}  // namespace
}  // namespace tcrops::tune
