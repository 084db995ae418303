#include "commands.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/serve/server.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <atomic>
#include <exception>
#include <thread>

namespace tcrops::cli {
namespace {

using std::chrono::milliseconds;

struct Options {
  std::string model;
  std::string device = "auto";
};

// Where it listens, as one line, so that whoever started it can read on.
void tell(const Session& session, const serve::Server& server) {
  const std::string url = (server.uses_tls() ? "https://" : "http://") + server.address();
  const Json model = server.model();
  const auto name = model.at("name").get<std::string>();
  const auto version = model.at("version").get<std::string>();
  if (!session.json) {
    write_stdout(fmt::format("{} serves {} version {}\n", url, name, version));
    return;
  }
  const Json line = {{"schema", "tcrops.serve/1"},
                     {"url", url},
                     {"address", server.address()},
                     {"name", name},
                     {"version", version},
                     {"artifact", model.at("artifact")},
                     {"data_version", model.at("data_version")},
                     {"golden", model.at("golden")}};
  write_stdout(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// The one that was named, or the champion of the pipeline's model, or of the only one there is.
std::string model_to_serve(const Session& session, const store::Store& store,
                           const std::string& given) {
  if (!given.empty()) return given;
  std::vector<std::string> names;
  for (const auto& model : store::Registry(store).all()) {
    if (!model.aliases.contains(store::kChampion)) continue;
    if (model.name == session.config.name && !session.config_path.empty())
      return fmt::format("{}@{}", model.name, store::kChampion);
    names.push_back(fmt::format("{}@{}", model.name, store::kChampion));
  }
  if (names.size() == 1) return names.front();
  throw Error(ExitCode::kArtifact,
              names.empty()
                  ? "no registered model has a champion yet; `tcrops models promote NAME` "
                    "makes one, or name a model with --model"
                  : fmt::format("several models have a champion; choose one with "
                                "--model: {}",
                                fmt::join(names, ", ")));
}

int run_server(Session& session, const Options& options) {
  session.load_config();
  HeldSignals signals;
  check_interrupt();
  const auto store = session.open_claiming_store();
  serve::Server server(store, session.config,
                       {model_to_serve(session, store, options.model), options.device});
  std::exception_ptr fault;
  std::atomic<bool> ended{false};
  std::thread serving([&] {
    try {
      server.run();
    } catch (...) {
      fault = std::current_exception();
    }
    ended = true;
  });
  try {
    tell(session, server);
    while (!ended && signals.wait(milliseconds(200)) == 0) {
    }
  } catch (...) {
    fault = std::current_exception();
  }
  if (!ended) log_info("stopping; requests that were accepted are answered first");
  signals.let_go();  // a second signal ends it at once
  server.stop();
  serving.join();
  if (fault) std::rethrow_exception(fault);
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("-m,--model", options->model,
                 "model to serve: name@champion follows promotions; or a name, or the first 6 or "
                 "more digits of an id; default: the champion")
      ->type_name(kModelType);
  add_field_flag(app, session, "--listen", "serve.listen", "HOST:PORT");
  add_field_flag(app, session, "--token-file", "serve.token_file", kFileType);
  add_field_flag(app, session, "--tls-certificate", "serve.tls_certificate", kFileType);
  add_field_flag(app, session, "--tls-key", "serve.tls_key", kFileType);
  add_field_flag(app, session, "--shadow", "serve.shadow", kModelType);
  add_field_switch(app, session, "--log-sequences", "serve.log_sequences");
  add_field_flag(app, session, "--copies", "serve.copies", "COPIES");
  app.add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->type_name(kDeviceType)
      ->default_str("auto");
  add_config_options(app, session, false);
  add_store_option(app, session);
  add_output_options(app, session);
  app.callback([&session, options] {
    session.action = [&session, options] { return run_server(session, *options); };
  });
}

}  // namespace tcrops::cli
