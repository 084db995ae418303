#include "cmd_artifacts.hpp"
#include "commands.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/reproduce.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <memory>

namespace tcrops::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string artifact;
  std::string scratch;
  stages::ReproduceOptions reproduce;
};

// A store for what is made again: the folder that was named, or one that goes when all is done.
class Scratch {
 public:
  explicit Scratch(const std::string& folder)
      : own_(folder.empty()),
        path_(own_ ? make_unique_directory(fs::temp_directory_path(), "tcrops-reproduce-")
                   : fs::path(folder)) {
    if (!own_ && fs::exists(path_) && !fs::is_empty(path_)) {
      throw Error(ExitCode::kUsage,
                  fmt::format("--scratch {}: not empty; name a new folder", path_.string()));
    }
  }
  ~Scratch() {
    std::error_code ignored;
    if (own_) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  bool own_;
  fs::path path_;
};

std::string result_word(const stages::Reproduced& each) {
  if (each.copied) return "copied";
  return each.same() ? "same" : "DIFFERENT";
}

Json json_of(const stages::Reproduced& each) {
  Json files = Json::array();
  for (const auto& file : each.files) {
    files.push_back({{"name", file.name},
                     {"same", file.same},
                     {"bytes", file.bytes},
                     {"difference", file.same ? Json() : Json(file.difference)}});
  }
  return {{"kind", store::kind_name(each.original.manifest.kind)},
          {"artifact", each.original.id},
          {"made", each.id},
          {"copied", each.copied},
          {"same", each.same()},
          {"files", files}};
}

std::string text_of(const std::vector<stages::Reproduced>& all) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::vector<std::string>> files;
  for (const auto& each : all) {
    std::uint64_t bytes = 0;
    for (const auto& file : each.files) bytes += file.bytes;
    const std::string kind = store::kind_name(each.original.manifest.kind);
    rows.push_back({kind, each.original.short_id(), shown_id(each.id), result_word(each),
                    fmt::format("{} files, {}", each.files.size(), shown_size(bytes))});
    for (const auto& file : each.files) {
      if (!file.same) files.push_back({kind, file.name, file.difference});
    }
  }
  std::string text = format_table({"artifact", "id", "made again", "result", "compared"}, rows);
  if (!files.empty()) text += "\n" + format_table({"artifact", "file", "difference"}, files);
  return text;
}

// Why it may have come out differently, where that can be known.
std::string likely_cause(const store::Artifact& artifact, const std::string& device) {
  const std::string& then = artifact.manifest.backend_class;
  const std::string now = nn::backend_class(nn::resolve_device(device));
  if (then.empty() || then == now) return "";
  return fmt::format(
      "; it was made on a machine of class {} and this one is {}, whose last digits "
      "differ",
      then, now);
}

int reproduce(const Session& session, Options& options) {
  const auto store = session.open_claiming_store();
  const auto artifact = store.get(options.artifact);
  const Scratch folder(options.scratch);
  const auto scratch = store::Store::open(folder.path());
  options.reproduce.on_start = [](const store::Artifact& each) {
    log_info(fmt::format("{} {} …", store::kind_name(each.manifest.kind), each.short_id()));
  };
  const auto all = stages::reproduce(store, artifact, scratch, options.reproduce);
  const bool same = all.back().same();
  Json json = {{"schema", "tcrops.reproduce/1"},
               {"artifact", artifact.id},
               {"same", same},
               {"steps", Json::array()}};
  for (const auto& each : all) json["steps"].push_back(json_of(each));
  print_result(
      session, json,
      text_of(all) +
          (same ? fmt::format("\n{} came out byte for byte the same\n", artifact.short_id()) : ""));
  if (same) return 0;
  throw Error(ExitCode::kCheckFailed,
              fmt::format("{} came out differently{}", artifact.short_id(),
                          likely_cause(artifact, options.reproduce.device)));
}

}  // namespace

void add_reproduce(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("artifact", options->artifact,
                 "what to make again: a name, a version (viral@v3) or an id")
      ->type_name(kArtifactType)
      ->required();
  app.add_flag("--only", options->reproduce.only,
               "make only this artifact again and take what it was made from as it is");
  app.add_option("--scratch", options->scratch,
                 "new folder that keeps what was made; default: a temporary one")
      ->type_name(kFolderType);
  app.add_option("--device", options->reproduce.device, "auto, cpu, cuda or cuda:N")
      ->type_name(kDeviceType)
      ->default_str("auto");
  add_store_option(app, session);
  add_output_options(app, session);
  app.callback([&session, options] {
    session.action = [&session, options] { return reproduce(session, *options); };
  });
}

}  // namespace tcrops::cli
