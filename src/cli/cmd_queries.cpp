// queries: what servers were asked and answered.
#include "cmd_artifacts.hpp"
#include "commands.hpp"
#include "queries_report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/serve/queries.hpp>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

namespace tcrops::cli {
namespace {

constexpr double kSecondsOfDay = 86'400.0;

struct Options {
  std::string file;
  // list
  serve::QueryFilter filter;
  std::string since;
  std::string until;
  bool invalid = false;
  // show
  std::string id;
  std::optional<std::int64_t> number;
  // purge
  std::string before;
  std::optional<double> older_days;
  bool all = false;
  bool sequences_only = false;
  bool dry_run = false;
};

std::filesystem::path file_of(const Session& session, const Options& options) {
  if (!options.file.empty()) return options.file;
  return serve::default_query_log(session.store_path);
}

serve::QueryReader reader_of(const Session& session, const Options& options) {
  serve::QueryReader reader(file_of(session, options));
  if (!reader.exists()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("there is no query log {}; name the store with --store or the file "
                            "with --log (serve.query_log of the server)",
                            reader.file().string()));
  }
  return reader;
}

double seconds_of(const std::string& flag, const std::string& text) {
  const auto time = utc_time(text);
  if (!time) {
    throw Error(ExitCode::kUsage,
                fmt::format("{}: \"{}\" is no time; write 2026-01-31 or 2026-01-31T12:00:00Z "
                            "(UTC)",
                            flag, text));
  }
  return std::chrono::duration<double>(time->time_since_epoch()).count();
}

int list(const Session& session, const Options& options) {
  serve::QueryFilter filter = options.filter;
  if (!options.since.empty()) filter.from = seconds_of("--since", options.since);
  if (!options.until.empty()) filter.to = seconds_of("--until", options.until);
  if (options.invalid) filter.valid = false;
  const auto reader = reader_of(session, options);
  const serve::QueryPage page = reader.list(filter);
  Json json = {{"schema", "tcrops.queries/1"},
               {"file", reader.file().string()},
               {"queries", Json::array()},
               {"next", page.next ? Json(*page.next) : Json()}};
  for (const serve::LoggedQuery& query : page.queries)
    json["queries"].push_back(serve::to_json(query));
  print_result(session, json, session.json ? "" : queries_text(page));
  return 0;
}

int show(const Session& session, const Options& options) {
  const auto reader = reader_of(session, options);
  const auto found = options.number ? reader.at(*options.number) : reader.find(options.id);
  if (!found || found->query.id != options.id) {
    throw Error(ExitCode::kArtifact,
                fmt::format("no request \"{}\"{} in {}; see `{} queries list`", options.id,
                            options.number ? fmt::format(" of number {}", *options.number) : "",
                            reader.file().string(), session.program));
  }
  const std::int64_t count = options.number ? 1 : reader.count(options.id);
  Json json = serve::to_json(*found);
  json["schema"] = "tcrops.query/1";
  std::string text = query_text(*found);
  if (count > 1)
    text +=
        fmt::format("\nthe newest of {} requests with this id; --number shows another\n", count);
  print_result(session, json, text);
  return 0;
}

serve::Purge purge_of(const Options& options) {
  const int ways =
      (options.before.empty() ? 0 : 1) + (options.older_days ? 1 : 0) + (options.all ? 1 : 0);
  if (ways > 1) throw Error(ExitCode::kUsage, "give one of --before, --older-than and --all");
  if (ways == 0 && !options.sequences_only) {
    throw Error(ExitCode::kUsage,
                "what is to go? --before DATE, --older-than DAYS or --all; --sequences-only keeps "
                "the entries");
  }
  serve::Purge purge;
  purge.only_inputs = options.sequences_only;
  if (!options.before.empty()) purge.before = seconds_of("--before", options.before);
  if (options.older_days) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    purge.before = std::chrono::duration<double>(now).count() - *options.older_days * kSecondsOfDay;
  }
  return purge;
}

int purge(const Session& session, const Options& options) {
  const serve::Purge what = purge_of(options);
  const auto file = reader_of(session, options).file();
  const serve::Purged purged =
      options.dry_run
          ? serve::count_purge(file, what)
          : serve::purge_queries(file, what, fmt::format("{}@{}", user_name(), host_name()));
  std::string text =
      fmt::format("{} {} entries and the text of {}\n",
                  options.dry_run ? "would remove" : "removed", purged.queries, purged.inputs);
  if (!purged.is_erased)
    text += "others were reading, so bytes of them may still be in the file; purge again\n";
  print_result(session,
               {{"schema", "tcrops.queries_purge/1"},
                {"file", file.string()},
                {"removed_now", !options.dry_run},
                {"queries", purged.queries},
                {"inputs", purged.inputs},
                {"erased", purged.is_erased && !options.dry_run}},
               text);
  return 0;
}

void add_list_options(CLI::App& app, Options& options) {
  app.add_option("--limit", options.filter.limit, "at most so many")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--before", options.filter.before, "only those with a lower number")
      ->type_name("NUMBER");
  app.add_option("--model", options.filter.model, "only of this model, by its name")
      ->type_name(kRegisteredType);
  app.add_option("--search", options.filter.search,
                 "only with this in the request's id, the model's name, the error or the text that "
                 "was kept, or at the beginning of the digest")
      ->type_name("TEXT");
  app.add_option("--since", options.since, "only from this time on, UTC")->type_name("DATE");
  app.add_option("--until", options.until, "only before this time, UTC")->type_name("DATE");
  app.add_flag("--invalid", options.invalid, "only those without any score");
}

void add_purge_options(CLI::App& app, Options& options) {
  app.add_option("--before", options.before, "what came before this time, UTC")->type_name("DATE");
  app.add_option("--older-than", options.older_days, "what came more than so many days ago")
      ->type_name("DAYS")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--all", options.all, "everything");
  app.add_flag("--sequences-only", options.sequences_only,
               "only the texts that --log-sequences kept; of all entries, unless it says which");
  app.add_flag("--dry-run", options.dry_run, "only say how much");
}

}  // namespace

void add_queries(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  const auto command = [&](const char* name, const char* help,
                           int (*body)(const Session&, const Options&),
                           void (*add)(CLI::App&, Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App& sub = add_store_command(app, session, name, help);
    add(sub, *options);
    sub.add_option("--log", options->file, "the query log, instead of queries.sqlite in the store")
        ->type_name(kFileType);
    sub.callback([&session, options, body] {
      session.action = [&session, options, body] { return body(session, *options); };
    });
  };
  command("list", "requests that asked for scores, newest first", list, add_list_options);
  command("show", "one request: model, times, scores, and what was sent where it was kept", show,
          [](CLI::App& sub, Options& options) {
            sub.add_option("request", options.id, "X-Request-Id of the answer")
                ->type_name("REQUEST")
                ->required();
            sub.add_option("--number", options.number, "of several with that id, this one")
                ->type_name("NUMBER");
          });
  command("purge", "remove entries, or the sequences in them, and overwrite their bytes", purge,
          add_purge_options);
}

}  // namespace tcrops::cli
