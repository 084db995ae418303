#include "commands.hpp"
#include "doctor.hpp"
#include "session.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace tcrops::cli {
namespace {

struct NamedCheck {
  std::string name;
  Check check;
};

// A part that cannot be examined is a failed check, never the end of the examination.
Check guarded(const std::function<Check()>& look) {
  try {
    return look();
  } catch (const std::exception& e) {
    return {.status = Status::kFailed,
            .found = e.what(),
            .advice = "it cannot be examined; see what was found"};
  }
}

std::vector<NamedCheck> examine(const std::filesystem::path& store) {
  std::vector<NamedCheck> checks;
  const auto add = [&](const char* name, const std::function<Check()>& look) {
    checks.push_back({name, guarded(look)});
  };
  // First, while the process has one thread: both start processes.
  const LibtorchChecks libtorch = check_libtorch();
  StoreChecks stored;
  try {
    stored = check_store(store);
  } catch (const std::exception& e) {
    for (Check* check : {&stored.disk, &stored.clock, &stored.store}) {
      note(*check, Status::kFailed, e.what(), "name another folder with --store");
    }
  }
  add("program", check_program);
  checks.push_back({"libtorch", libtorch.libtorch});
  checks.push_back({"blas", libtorch.blas});
  add("device", check_device);
  add("threads", check_threads);
  add("memory", check_memory);
  checks.push_back({"disk", stored.disk});
  checks.push_back({"clock", stored.clock});
  checks.push_back({"store", stored.store});
  add("environment", check_environment);
  return checks;
}

std::string status_name(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kWarning:
      return "warning";
    case Status::kFailed:
      break;
  }
  return "failed";
}

int doctor(const Session& session) {
  Json json = {{"schema", "tcrops.doctor/1"}, {"checks", Json::array()}, {"facts", Json::object()}};
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> failed;
  for (const auto& [name, check] : examine(session.store_path)) {
    if (check.status == Status::kFailed) failed.push_back(name);
    json["checks"].push_back({{"name", name},
                              {"status", status_name(check.status)},
                              {"found", check.found},
                              {"advice", check.advice}});
    json["facts"][name] = check.facts;
    rows.push_back({name, check.status == Status::kFailed ? "FAILED" : status_name(check.status),
                    check.found, check.advice});
  }
  json["ok"] = failed.empty();
  print_result(session, json,
               format_table({"check", "result", "what was found", "what to do"}, rows));
  if (failed.empty()) return 0;
  throw Error(
      ExitCode::kCheckFailed,
      fmt::format("doctor found broken: {}; see what to do beside each", fmt::join(failed, ", ")));
}

}  // namespace

void note(Check& check, Status status, const std::string& found, const std::string& advice) {
  check.status = std::max(check.status, status);
  for (const auto& [text, more] : {std::pair{&check.found, &found}, {&check.advice, &advice}}) {
    if (more->empty()) continue;
    *text += (text->empty() ? "" : "; ") + *more;
  }
}

std::string gigabytes(std::uint64_t bytes) {
  constexpr double kMega = 1e6;
  constexpr double kGiga = 1e9;
  const auto amount = static_cast<double>(bytes);
  return amount < kGiga ? fmt::format("{:.1f} MB", amount / kMega)
                        : fmt::format("{:.1f} GB", amount / kGiga);
}

void add_doctor(CLI::App& app, Session& session) {
  add_store_option(app, session);
  add_output_options(app, session);
  app.callback([&session] { session.action = [&session] { return doctor(session); }; });
}

}  // namespace tcrops::cli
