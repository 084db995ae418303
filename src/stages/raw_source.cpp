// The public data sets that fetch knows, with their terms.
#include "raw_source.hpp"

#include <fmt/format.h>

#include <array>

namespace tcrops::stages {
namespace {

// The ePytope-TCR viral benchmark at one commit; hashes of the raw files.
RawSource viral() {
  return {
      .origin =
          "https://raw.githubusercontent.com/SchubertLab/benchmark_TCRprediction/"
          "8a4f7de48a54af60fc8be714cb9641bc7e33e43d/tcr_benchmark/data/",
      .files = {{"01_beam-t_clones.csv",
                 "6dd299e20cf0d2fcea7520d64a6118f96ae63a30c04fc414604f130997cef840", 22640, ""},
                {"02_covid_dextramer_clones.csv",
                 "10781649360b146cb3f4058f24b7d85db790b2a4599b3035ec6786565b9ba0ca", 76448, ""}},
      .format = "scirpy",
      .member = "",
      .licence = "none stated by the repository, which asks to be cited",
      .citation =
          "Drost et al., Cell Genomics 2025, doi 10.1016/j.xgen.2025.100946; Kocher et al. "
          "2024 (dextramer data); Adams et al. 2023 (BEAM-T data)"};
}

RawSource vdjdb(const FetchConfig& config) {
  return {.origin = fmt::format("https://github.com/antigenomics/vdjdb-db/releases/download/{}/",
                                config.release),
          .files = {{fmt::format("vdjdb-{}.zip", config.release), config.sha256, 0, ""}},
          .format = "vdjdb",
          .member = "vdjdb.txt",
          .licence = "the repository's LICENSE is AGPL-3.0; no separate one for the data",
          .citation =
              "Goncharov et al., Nature Methods 19:1017 (2022), doi "
              "10.1038/s41592-022-01578-0"};
}

// Epitopes of the training tables of IMMREP22.
constexpr std::array<const char*, 17> kImmrep22Epitopes = {
    "ATDALMTGF", "CINGVCWTV", "GILGFVFTL",  "GLCTLVAML",  "GPRLGVRAT", "HPVTKYIM",
    "KSKRTPMGF", "LLWNGPMAV", "LTDEMIAQY",  "NLVPMVATV",  "NQKLIANQF", "NYNYLYRLF",
    "RAQAPPPSW", "SPRWYFYYL", "TPRVTGGGAM", "TTDPSFLGRY", "YLQPRTFLL"};

RawSource immrep22() {
  RawSource source = {.origin =
                          "https://raw.githubusercontent.com/viragbioinfo/"
                          "IMMREP_2022_TCRSpecificity/8942484a902a4694628f0e4f828012884f76382e/"
                          "training_data/",
                      .files = {},
                      .format = "immrep22",
                      .member = "",
                      .licence = "none stated by the repository",
                      .citation =
                          "Meysman et al., ImmunoInformatics 9:100024 (2023), doi "
                          "10.1016/j.immuno.2023.100024"};
  for (const char* epitope : kImmrep22Epitopes) {
    source.files.push_back({fmt::format("{}.txt", epitope), "", 0, epitope});
  }
  return source;
}

}  // namespace

std::optional<RawSource> public_source(const FetchConfig& config) {
  if (config.source == "viral") return viral();
  if (config.source == "vdjdb") return vdjdb(config);
  if (config.source == "immrep22") return immrep22();
  return std::nullopt;
}

std::optional<RawSource> public_test_source(const FetchConfig& config) {
  if (config.test_source == "viral") return viral();
  return std::nullopt;
}

}  // namespace tcrops::stages
