// Stage fetch: the raw files of a source, whole and with the expected hash, or nothing.
#include "download.hpp"
#include "raw_source.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/stages/table_source.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tcrops::stages {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTable = "table.csv";

data::SyntheticOptions synthetic_options(const SyntheticConfig& c) {
  return {
      .tcrs = c.tcrs, .epitopes = c.epitopes, .motif_strength = c.motif_strength, .noise = c.noise};
}

// A file of the user's: the setting that names it, and its name in the artifact.
struct OwnFile {
  const char* setting;
  const char* name;
  const char* role;
  std::string path;
};

std::vector<OwnFile> own_files(const FetchConfig& config) {
  std::vector<OwnFile> files;
  if (config.source == "file") files.push_back({"fetch.file", kTable, kPairs, config.file});
  if (!config.control_file.empty()) {
    files.push_back({"fetch.control_file", "control.csv", kControl, config.control_file});
  }
  if (!config.measured_file.empty()) {
    files.push_back({"fetch.measured_file", "measured.csv", kMeasured, config.measured_file});
  }
  if (!config.test_file.empty()) {
    files.push_back({"fetch.test_file", "test.csv", kTest, config.test_file});
  }
  return files;
}

std::string hash_of(const std::string& setting, const std::string& path) {
  std::error_code status;
  if (!fs::is_regular_file(path, status)) {
    throw Error(ExitCode::kInputData, fmt::format("{}: {}: {}; check the path", setting, path,
                                                  status ? status.message() : "not a file"));
  }
  return sha256_file(path, ExitCode::kInputData);
}

std::string location_of(const FetchConfig& config, const RawSource& source,
                        const SourceFile& file) {
  return join_mirror(config.mirror.empty() ? source.origin : config.mirror, file.name);
}

// Whether an entry of fetch.map is COLUMN=THEIRS with a column of ours.
bool is_mapping(const std::string& text) {
  const std::size_t sign = text.find('=');
  const std::string column = text.substr(0, sign);
  const bool is_ours = data::column_named(column) || column == data::kLabelColumn ||
                       column == data::kOriginColumn || column == data::kFoldColumn;
  return is_ours && sign != std::string::npos && sign + 1 < text.size();
}

// How a file of the user's is to be read, as far as it was said.
Json reading_of(const FetchConfig& config) {
  for (const std::string& each : config.map) {
    if (is_mapping(each)) continue;
    throw Error(
        ExitCode::kConfiguration,
        fmt::format("fetch.map: \"{}\" is not COLUMN=THEIRS, where COLUMN is one of {}, {}, "
                    "{} or {}",
                    each, fmt::join(data::kColumnNames, ", "), data::kLabelColumn,
                    data::kOriginColumn, data::kFoldColumn));
  }
  Json reading = Json::object();
  if (config.format != "auto") reading["format"] = config.format;
  if (!config.map.empty()) reading["map"] = config.map;
  if (!config.mhc.empty()) reading["mhc"] = config.mhc;
  const std::string named = epitope_in_name(config.file);
  if (!config.epitope.empty()) reading["epitope"] = config.epitope;
  if (!named.empty()) reading["epitope_in_name"] = named;
  return reading;
}

// A file without a pinned hash is known by its contents when it is at hand, and else by where it
// comes from.
void identify(const FetchConfig& config, const RawSource& source, Json& configuration) {
  for (const SourceFile& file : source.files) {
    const std::string location = location_of(config, source, file);
    std::error_code ignored;
    if (!file.sha256.empty()) {
      configuration["sha256"][file.name] = to_lower(file.sha256);
    } else if (fs::is_regular_file(location, ignored)) {
      configuration["sha256"][file.name] = sha256_file(location, ExitCode::kInputData);
    } else {
      configuration["location"][file.name] = shown_location(location);
    }
  }
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  const FetchConfig& fetch = context.config.fetch;
  key.configuration = {{"source", fetch.source}};
  if (fetch.source == "synthetic") {
    key.seed = context.config.seed;
    key.configuration["synthetic"] = context.config.fields().resolved("synthetic", true);
  }
  if (const auto source = public_source(fetch)) identify(fetch, *source, key.configuration);
  if (fetch.test_source != "none") key.configuration["test_source"] = fetch.test_source;
  if (const auto source = public_test_source(fetch)) {
    identify(fetch, *source, key.configuration["test"]);
  }
  for (const OwnFile& file : own_files(fetch)) {
    const std::string hash = hash_of(file.setting, file.path);
    if (std::string(file.role) == kPairs) {
      key.configuration["sha256"] = hash;
      if (Json reading = reading_of(fetch); !reading.empty())
        key.configuration["reading"] = reading;
    } else {
      key.configuration[fmt::format("{}_sha256", file.role)] = hash;
    }
  }
}

// Copies are compared with the key, since a file may change while it is read.
void copy_own(const OwnFile& file, const std::string& sha256, const store::Draft& draft) {
  const fs::path copy = draft.directory() / file.name;
  std::error_code status;
  fs::copy_file(file.path, copy, status);
  if (status) throw system_error("cannot copy the input to", copy, status.value());
  if (sha256_file(copy) == sha256) return;
  throw Error(ExitCode::kTemporary,
              fmt::format("{}: changed while it was read; run the command again", file.path));
}

// Half-done downloads stay in the work folder, so a later run resumes them. What the key knows the
// hash of has to have it, also where nothing is pinned: a local file may change while it is read.
Json fetch_public(const FetchConfig& fetch, const RawSource& source, const char* role,
                  const Json& configuration, const store::WorkFolder& work,
                  const store::Draft& draft) {
  const Json hashes = configuration.value("sha256", Json::object());
  Json inputs = Json::array();
  const DownloadOptions options{.retries = fetch.retries, .stall_seconds = fetch.stall_seconds};
  for (const SourceFile& file : source.files) {
    const fs::path target = work.directory() / file.name;
    download({.location = location_of(fetch, source, file),
              .sha256 = hashes.value(file.name, file.sha256),
              .bytes = file.bytes},
             target, options);
    draft.add(file.name, read_file(target));
    Json input = {{"file", file.name}, {"role", role}, {"format", source.format}};
    if (!source.member.empty()) input["member"] = source.member;
    if (!file.epitope.empty()) input["epitope"] = file.epitope;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

void make_synthetic(const StageContext& context, const store::Draft& draft) {
  const auto options = synthetic_options(context.config.synthetic);
  const auto seed = static_cast<std::uint64_t>(context.config.seed);
  AtomicFile out(draft.directory() / kTable);
  data::generate_synthetic(options, seed, [&](std::string_view piece) { out.write(piece); });
  out.commit();
  draft.add("truth.json", canonical_json(data::synthetic_truth(options, seed)));
}

Json own_input(const OwnFile& file, const store::ReuseKey& key) {
  Json input = {{"file", file.name}, {"role", file.role}};
  const bool is_main = std::string(file.role) == kPairs;
  if (is_main && key.configuration.contains("reading")) {
    input.update(key.configuration.at("reading"));
  }
  return input;
}

Json terms_of(const RawSource& source, std::string_view prefix) {
  return {{fmt::format("{}origin", prefix), source.origin},
          {fmt::format("{}citation", prefix), source.citation},
          {fmt::format("{}licence", prefix), source.licence}};
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run) {
  const FetchConfig& fetch = context.config.fetch;
  store::Manifest manifest = manifest_for(store::Kind::kRaw, key);
  store::Draft draft = context.store.begin_draft();
  Json inputs = Json::array();
  manifest.facts = {{"source", fetch.source}};
  if (const auto source = public_source(fetch)) {
    inputs = fetch_public(fetch, *source, kPairs, key.configuration, work, draft);
    manifest.facts.update(terms_of(*source, ""));
    run.notes["origin"] =
        valid_utf8(shown_location(fetch.mirror.empty() ? source->origin : fetch.mirror));
  } else if (fetch.source == "synthetic") {
    make_synthetic(context, draft);
    inputs.push_back({{"file", kTable}, {"role", kPairs}, {"format", "benchmark"}});
    manifest.facts["licence"] = "made up, no rights reserved";
  }
  if (fetch.test_source != "none") manifest.facts["test_source"] = fetch.test_source;
  if (const auto source = public_test_source(fetch)) {
    manifest.facts.update(terms_of(*source, "test_"));
    const Json test =
        fetch_public(fetch, *source, kTest, key.configuration.at("test"), work, draft);
    inputs.insert(inputs.end(), test.begin(), test.end());
  }
  for (const OwnFile& file : own_files(fetch)) {
    const bool is_main = std::string(file.role) == kPairs;
    const std::string part = is_main ? "sha256" : fmt::format("{}_sha256", file.role);
    copy_own(file, key.configuration.at(part).get<std::string>(), draft);
    inputs.push_back(own_input(file, key));
    run.notes[is_main ? "origin" : fmt::format("{}_origin", file.role)] =
        valid_utf8(fs::absolute(file.path).string());
    if (is_main) manifest.facts["licence"] = "not known to tcrops: a file of the user's";
  }
  manifest.facts["inputs"] = std::move(inputs);
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition fetch_stage() {
  return {.stage = Stage::kFetch,
          .kind = store::Kind::kRaw,
          .version = 2,
          .upstream = [](const PipelineConfig&) { return std::vector<Stage>{}; },
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                Json file = {{"fetch", {{"source", c.at("source")}}}};
                if (c.contains("synthetic")) file["synthetic"] = c["synthetic"];
                return file;
              },
          .reusable = true};
}

}  // namespace tcrops::stages
