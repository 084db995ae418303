// Facts of the ePytope-TCR viral benchmark that are not in its two clone tables. Source: GitHub
// SchubertLab/benchmark_TCRprediction, commit 8a4f7de48a54af60fc8be714cb9641bc7e33e43d,
// tcr_benchmark/pp/viralDownloader.py (Drost et al., Cell Genomics 2025,
// doi 10.1016/j.xgen.2025.100946).
#pragma once

#include <array>
#include <string_view>

namespace tcrops::data {

// The HLA allele that presents a peptide.
struct PeptideMhc {
  std::string_view peptide;
  std::string_view mhc;
};

inline constexpr std::array kViralMhc = {
    PeptideMhc{"AVFDRKSDAK", "A*11:01"}, PeptideMhc{"GILGFVFTL", "A*02:01"},
    PeptideMhc{"NLVPMVATV", "A*02:01"},  PeptideMhc{"YVLDHLIVV", "A*02:01"},
    PeptideMhc{"GLCTLVAML", "A*02:01"},  PeptideMhc{"KLPDDFTGCV", "A*02:01"},
    PeptideMhc{"YLQPRTFLL", "A*02:01"},  PeptideMhc{"RLQSLQTYV", "A*02:01"},
    PeptideMhc{"KIADYNYKL", "A*02:01"},  PeptideMhc{"VLNDILSRL", "A*02:01"},
    PeptideMhc{"TYGPVFMCL", "A*24:02"},  PeptideMhc{"AYAQKIFKI", "A*24:02"},
    PeptideMhc{"QYIKWPWYI", "A*24:02"},  PeptideMhc{"NYNYLYRLF", "A*24:02"},
    PeptideMhc{"KCYGVSPTK", "A*03:01"},  PeptideMhc{"LTDEMIAQY", "A*01:01"},
    PeptideMhc{"CTELKLSDY", "A*01:01"},  PeptideMhc{"YTNSFTRGVY", "A*01:01"},
    PeptideMhc{"SPRRARSVA", "B*07:02"},  PeptideMhc{"FPQSAPHGV", "B*07:02"},
    PeptideMhc{"TPRVTGGGAM", "B*07:02"}, PeptideMhc{"RAKFKQLL", "B*08:01"},
    PeptideMhc{"FLRGRAYGL", "B*08:01"},  PeptideMhc{"QPYRVVVL", "B*08:01"},
};

// CDR3 betas that IEDB, VDJdb or McPAS-TCR already held with a matching epitope when the benchmark
// was made. It removes them, so that published predictors have not seen its TCRs.
inline constexpr std::array<std::string_view, 48> kPublicCdr3Beta = {
    "CASSSRSSYEQYF",    "CASSIRSAYEQYF",  "CASSIRSSYEQYF",  "CASSVRSSYEQYF",    "CASSTRSAYEQYF",
    "CASSARSTGELFF",    "CASSIRSTGELFF",  "CASSGRSTDTQYF",  "CASSQRSTDTQYF",    "CASSPRSTDTQYF",
    "CASSVRSTGELFF",    "CASSTRSSYEQYF",  "CASSTRSTDTQYF",  "CASSTRSTGELFF",    "CASSIRASYEQYF",
    "CASSVRSTDTQYF",    "CASSIRSTDTQYF",  "CASSMRSTDTQYF",  "CASSIYSGGYNEQFF",  "CASSIRSGYEQYF",
    "CASSIHSNQPQHF",    "CASSLQNTGELFF",  "CASGDENTGELFF",  "CATQEGNTGELFF",    "CASSPDIEAFF",
    "CASSEGQGYEQYF",    "CASSRRSTDTQYF",  "CASSFRSTGELFF",  "CASSNRASYEQYF",    "CASSGRSSDTQYF",
    "CASSLRSTDTQYF",    "CASSARSTDTQYF",  "CASNPDRNTGELFF", "CASSLDIEAFF",      "CASSLTNEQFF",
    "CASSPPGGGNTGELFF", "CASSPTGGSYGYTF", "CASSIRSGWEQFF",  "CASSPWGGNTEAFF",   "CASQDLNTGELFF",
    "CASSDLNTGELFF",    "CASSPDIEQFF",    "CASQDQNTGELFF",  "CASSELAGGNTGELFF", "CARGQENTGELFF",
    "CASSPPAGGNTGELFF", "CASQDANTGELFF",  "CASSIRSAYEQFF",
};

}  // namespace tcrops::data
