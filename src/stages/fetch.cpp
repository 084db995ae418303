// Stage fetch: the raw files of a source, whole and with the expected hash, or nothing.
#include "download.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/data/synthetic.hpp>

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace tcrops::stages {
namespace {

struct SourceFile {
  const char* name;
  const char* sha256;
  std::uint64_t bytes;
};

// The ePytope-TCR viral benchmark at one commit; hashes of the raw files.
constexpr const char* kViralOrigin =
    "https://raw.githubusercontent.com/SchubertLab/benchmark_TCRprediction/"
    "8a4f7de48a54af60fc8be714cb9641bc7e33e43d/tcr_benchmark/data/";
constexpr std::array<SourceFile, 2> kViralFiles = {{
    {"01_beam-t_clones.csv", "6dd299e20cf0d2fcea7520d64a6118f96ae63a30c04fc414604f130997cef840",
     22640},
    {"02_covid_dextramer_clones.csv",
     "10781649360b146cb3f4058f24b7d85db790b2a4599b3035ec6786565b9ba0ca", 76448},
}};
constexpr const char* kViralCitation =
    "Drost et al., Cell Genomics 2025, doi 10.1016/j.xgen.2025.100946; Kocher et al. 2024 "
    "(dextramer "
    "data); Adams et al. 2023 (BEAM-T data)";
constexpr const char* kViralLicence = "none stated by the repository, which asks to be cited";

data::SyntheticOptions synthetic_options(const SyntheticConfig& c) {
  return {
      .tcrs = c.tcrs, .epitopes = c.epitopes, .motif_strength = c.motif_strength, .noise = c.noise};
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  const FetchConfig& fetch = context.config.fetch;
  key.configuration = {{"source", fetch.source}};
  if (fetch.source == "synthetic") {
    key.seed = context.config.seed;
    Json& synthetic = key.configuration["synthetic"];
    synthetic = context.config.fields().resolved("synthetic", true);
    // Artifacts from before there was noise do not name it.
    if (context.config.synthetic.noise == 0) synthetic.erase("noise");
  } else if (fetch.source == "viral") {
    for (const SourceFile& file : kViralFiles) key.configuration["sha256"][file.name] = file.sha256;
  } else {
    std::error_code status;
    if (!std::filesystem::is_regular_file(fetch.file, status)) {
      throw Error(ExitCode::kInputData,
                  fmt::format("fetch.file: {}: {}; check the path", fetch.file,
                              status ? status.message() : "not a file"));
    }
    key.configuration["sha256"] = sha256_file(fetch.file, ExitCode::kInputData);
  }
}

// Half-done downloads stay in the work folder, so a later run resumes them.
void fetch_viral(const StageContext& context, const store::WorkFolder& work,
                 const store::Draft& draft, RunRecord& run) {
  const FetchConfig& fetch = context.config.fetch;
  const std::string origin = fetch.mirror.empty() ? kViralOrigin : fetch.mirror;
  const DownloadOptions options{.retries = fetch.retries, .stall_seconds = fetch.stall_seconds};
  for (const SourceFile& file : kViralFiles) {
    const auto target = work.directory() / file.name;
    download(
        {.location = join_mirror(origin, file.name), .sha256 = file.sha256, .bytes = file.bytes},
        target, options);
    draft.add(file.name, read_file(target));
  }
  run.notes["origin"] = valid_utf8(shown_location(origin));
}

void fetch_file(const StageContext& context, const store::ReuseKey& key, const store::Draft& draft,
                RunRecord& run) {
  const std::filesystem::path copy = draft.directory() / "table.csv";
  std::error_code status;
  std::filesystem::copy_file(context.config.fetch.file, copy, status);
  if (status) throw system_error("cannot copy the input to", copy, status.value());
  if (sha256_file(copy) != key.configuration.at("sha256").get<std::string>()) {
    throw Error(ExitCode::kTemporary,
                fmt::format("{}: changed while it was read; run the command again",
                            context.config.fetch.file));
  }
  run.notes["origin"] = valid_utf8(std::filesystem::absolute(context.config.fetch.file).string());
}

void fetch_synthetic(const StageContext& context, const store::Draft& draft) {
  AtomicFile out(draft.directory() / "table.csv");
  data::generate_synthetic(synthetic_options(context.config.synthetic),
                           static_cast<std::uint64_t>(context.config.seed),
                           [&](std::string_view piece) { out.write(piece); });
  out.commit();
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& work, RunRecord& run) {
  const std::string& source = context.config.fetch.source;
  store::Manifest manifest = manifest_for(store::Kind::kRaw, key);
  store::Draft draft = context.store.begin_draft();
  manifest.facts = {{"source", source}};
  if (source == "viral") {
    fetch_viral(context, work, draft, run);
    manifest.facts["origin"] = kViralOrigin;
    manifest.facts["citation"] = kViralCitation;
    manifest.facts["licence"] = kViralLicence;
  } else if (source == "file") {
    fetch_file(context, key, draft, run);
  } else {
    fetch_synthetic(context, draft);
    manifest.facts["licence"] = "made up, no rights reserved";
  }
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition fetch_stage() {
  return {.stage = Stage::kFetch,
          .kind = store::Kind::kRaw,
          .version = 1,
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
