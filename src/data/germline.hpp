// Human TCR genes as they are used in blood, for made-up repertoires. Gene names and the ends of
// the CDR3 follow IMGT's germline sequences (the first residues from the conserved C for a V gene,
// the last ones up to the conserved F/W for a J gene); the weights are rounded shares of productive
// rearrangements in healthy adults and mean nothing beyond "common" and "rare".
#pragma once

#include <array>
#include <string_view>

namespace tcrops::data {

struct Germline {
  std::string_view gene;
  std::string_view end;  // the part of the CDR3 that the gene encodes, before trimming
  double weight;
};

// All V ends of a chain are equally long, so that what follows them has a fixed place.
inline constexpr std::array kAlphaV = {
    Germline{"TRAV1-2", "CAV", 2.0},    Germline{"TRAV2", "CAV", 3.0},
    Germline{"TRAV3", "CAV", 1.6},      Germline{"TRAV4", "CLV", 2.0},
    Germline{"TRAV5", "CAE", 2.2},      Germline{"TRAV6", "CAL", 0.9},
    Germline{"TRAV8-1", "CAV", 1.8},    Germline{"TRAV8-2", "CVV", 2.4},
    Germline{"TRAV8-3", "CAV", 2.3},    Germline{"TRAV8-4", "CAV", 2.6},
    Germline{"TRAV8-6", "CAV", 2.2},    Germline{"TRAV9-2", "CAL", 4.8},
    Germline{"TRAV10", "CVV", 1.2},     Germline{"TRAV12-1", "CVV", 3.6},
    Germline{"TRAV12-2", "CAV", 4.4},   Germline{"TRAV12-3", "CAM", 3.1},
    Germline{"TRAV13-1", "CAA", 5.0},   Germline{"TRAV13-2", "CAE", 2.7},
    Germline{"TRAV14/DV4", "CAM", 3.2}, Germline{"TRAV16", "CAL", 1.7},
    Germline{"TRAV17", "CAT", 3.9},     Germline{"TRAV19", "CAL", 4.2},
    Germline{"TRAV20", "CAV", 2.4},     Germline{"TRAV21", "CAV", 4.0},
    Germline{"TRAV22", "CAV", 1.6},     Germline{"TRAV23/DV6", "CAA", 2.0},
    Germline{"TRAV24", "CAF", 1.1},     Germline{"TRAV25", "CAG", 1.6},
    Germline{"TRAV26-1", "CIV", 3.0},   Germline{"TRAV26-2", "CIL", 2.8},
    Germline{"TRAV27", "CAG", 1.9},     Germline{"TRAV29/DV5", "CAA", 4.6},
    Germline{"TRAV30", "CGT", 0.9},     Germline{"TRAV34", "CGA", 0.5},
    Germline{"TRAV35", "CAG", 1.6},     Germline{"TRAV36/DV7", "CAV", 0.8},
    Germline{"TRAV38-1", "CAF", 1.8},   Germline{"TRAV38-2/DV8", "CAY", 3.8},
    Germline{"TRAV39", "CAV", 1.1},     Germline{"TRAV41", "CAV", 1.7},
};

inline constexpr std::array kAlphaJ = {
    Germline{"TRAJ3", "YSSASKIIF", 1.2},    Germline{"TRAJ4", "SGGYNKLIF", 1.6},
    Germline{"TRAJ5", "DTGRRALTF", 2.0},    Germline{"TRAJ6", "ASGGSYIPTF", 1.8},
    Germline{"TRAJ7", "YGNNRLAF", 1.0},     Germline{"TRAJ8", "NTGFQKLVF", 2.4},
    Germline{"TRAJ9", "GNTGGFKTIF", 2.6},   Germline{"TRAJ10", "LTGGGNKLTF", 2.2},
    Germline{"TRAJ11", "NSGYSTLTF", 1.5},   Germline{"TRAJ12", "MDSSYKLIF", 1.9},
    Germline{"TRAJ13", "NSGGYQKVTF", 2.0},  Germline{"TRAJ15", "NQAGTALIF", 2.1},
    Germline{"TRAJ16", "SDGQKLLF", 0.8},    Germline{"TRAJ17", "KAAGNKLTF", 2.0},
    Germline{"TRAJ18", "RGSTLGRLYF", 0.9},  Germline{"TRAJ20", "SNDYKLSF", 3.2},
    Germline{"TRAJ21", "YNFNKFYF", 1.2},    Germline{"TRAJ22", "SSGSARQLTF", 1.7},
    Germline{"TRAJ23", "YNQGGKLIF", 3.0},   Germline{"TRAJ24", "TTDSWGKLQF", 1.5},
    Germline{"TRAJ26", "DNYGQNFVF", 1.9},   Germline{"TRAJ27", "NTNAGKSTF", 2.0},
    Germline{"TRAJ28", "YSGAGSYQLTF", 2.6}, Germline{"TRAJ29", "NSGNTPLVF", 1.8},
    Germline{"TRAJ30", "NRDDKIIF", 2.3},    Germline{"TRAJ31", "NNNARLMF", 2.1},
    Germline{"TRAJ32", "YGGATNKLIF", 1.9},  Germline{"TRAJ33", "DSNYQLIW", 2.2},
    Germline{"TRAJ34", "SYNTDKLIF", 2.0},   Germline{"TRAJ36", "QTGANNLFF", 1.7},
    Germline{"TRAJ37", "SGNTGKLIF", 2.2},   Germline{"TRAJ38", "NAGNNRKLIW", 1.5},
    Germline{"TRAJ39", "NNNAGNMLTF", 2.8},  Germline{"TRAJ40", "TTSGTYKYIF", 2.2},
    Germline{"TRAJ41", "NSGYALNF", 1.4},    Germline{"TRAJ42", "YGGSQGNLIF", 3.4},
    Germline{"TRAJ43", "NNNDMRF", 2.6},     Germline{"TRAJ44", "TGTASKLTF", 1.9},
    Germline{"TRAJ45", "SGGGADGLTF", 3.4},  Germline{"TRAJ47", "EYGNKLVF", 1.5},
    Germline{"TRAJ48", "SNFGNEKLTF", 2.4},  Germline{"TRAJ49", "NTGNQFYF", 3.4},
    Germline{"TRAJ50", "KTSYDKVIF", 1.2},   Germline{"TRAJ52", "NAGGTSYGKLTF", 2.8},
    Germline{"TRAJ53", "SGGSNYKLTF", 2.4},  Germline{"TRAJ54", "IQGAQKLVF", 2.0},
    Germline{"TRAJ56", "YTGANSKLTF", 1.2},  Germline{"TRAJ57", "TQGGSEKLVF", 1.8},
};

inline constexpr std::array kBetaV = {
    Germline{"TRBV2", "CASS", 3.4},    Germline{"TRBV3-1", "CASS", 1.7},
    Germline{"TRBV4-1", "CASS", 2.4},  Germline{"TRBV4-2", "CASS", 1.9},
    Germline{"TRBV4-3", "CASS", 1.1},  Germline{"TRBV5-1", "CASS", 5.8},
    Germline{"TRBV5-4", "CASS", 2.2},  Germline{"TRBV5-5", "CASS", 1.0},
    Germline{"TRBV5-6", "CASS", 1.8},  Germline{"TRBV6-1", "CASS", 2.6},
    Germline{"TRBV6-2", "CASS", 2.2},  Germline{"TRBV6-4", "CASS", 1.2},
    Germline{"TRBV6-5", "CASS", 4.0},  Germline{"TRBV6-6", "CASS", 1.6},
    Germline{"TRBV7-2", "CASS", 3.8},  Germline{"TRBV7-3", "CASS", 2.6},
    Germline{"TRBV7-6", "CASS", 1.6},  Germline{"TRBV7-8", "CASS", 2.8},
    Germline{"TRBV7-9", "CASS", 5.0},  Germline{"TRBV9", "CASS", 3.4},
    Germline{"TRBV10-2", "CASS", 0.8}, Germline{"TRBV10-3", "CAIS", 2.0},
    Germline{"TRBV11-2", "CASS", 2.6}, Germline{"TRBV12-3", "CASS", 3.6},
    Germline{"TRBV12-4", "CASS", 2.8}, Germline{"TRBV13", "CASS", 1.0},
    Germline{"TRBV14", "CASS", 1.6},   Germline{"TRBV15", "CATS", 1.5},
    Germline{"TRBV18", "CASS", 2.2},   Germline{"TRBV19", "CASS", 4.8},
    Germline{"TRBV20-1", "CSAR", 8.6}, Germline{"TRBV24-1", "CATS", 1.6},
    Germline{"TRBV25-1", "CASS", 1.1}, Germline{"TRBV27", "CASS", 4.2},
    Germline{"TRBV28", "CASS", 4.6},   Germline{"TRBV29-1", "CSVE", 4.0},
    Germline{"TRBV30", "CAWS", 1.6},
};

inline constexpr std::array kBetaJ = {
    Germline{"TRBJ1-1", "NTEAFF", 9.6},   Germline{"TRBJ1-2", "NYGYTF", 8.0},
    Germline{"TRBJ1-3", "SGNTIYF", 2.9},  Germline{"TRBJ1-4", "TNEKLFF", 3.8},
    Germline{"TRBJ1-5", "SNQPQHF", 8.2},  Germline{"TRBJ1-6", "SYNSPLHF", 2.8},
    Germline{"TRBJ2-1", "SYNEQFF", 15.6}, Germline{"TRBJ2-2", "NTGELFF", 7.0},
    Germline{"TRBJ2-3", "STDTQYF", 12.0}, Germline{"TRBJ2-4", "AKNIQYF", 1.6},
    Germline{"TRBJ2-5", "QETQYF", 8.4},   Germline{"TRBJ2-6", "SGANVLTF", 1.5},
    Germline{"TRBJ2-7", "SYEQYF", 18.6},
};

// A letter between the V and J ends: what random nucleotides and the D genes give.
struct LetterWeight {
  char letter;
  double weight;
};
inline constexpr std::array kInsertLetters = {
    LetterWeight{'G', 20}, LetterWeight{'S', 9},   LetterWeight{'R', 9},   LetterWeight{'L', 8},
    LetterWeight{'P', 8},  LetterWeight{'A', 7},   LetterWeight{'T', 7},   LetterWeight{'D', 6},
    LetterWeight{'Q', 5},  LetterWeight{'E', 5},   LetterWeight{'V', 5},   LetterWeight{'N', 3},
    LetterWeight{'Y', 2},  LetterWeight{'F', 1.5}, LetterWeight{'W', 1.5}, LetterWeight{'I', 1.5},
    LetterWeight{'H', 1},  LetterWeight{'K', 1},   LetterWeight{'M', 0.7}, LetterWeight{'C', 0.2},
};

// Length of a CDR3 with both anchors; alpha is about one residue shorter than beta.
struct LengthWeight {
  std::size_t length;
  double weight;
};
inline constexpr std::array kAlphaLengths = {
    LengthWeight{9, 1},   LengthWeight{10, 4},  LengthWeight{11, 9},  LengthWeight{12, 15},
    LengthWeight{13, 20}, LengthWeight{14, 20}, LengthWeight{15, 15}, LengthWeight{16, 9},
    LengthWeight{17, 4},  LengthWeight{18, 2},  LengthWeight{19, 1},
};
inline constexpr std::array kBetaLengths = {
    LengthWeight{10, 1},  LengthWeight{11, 4},  LengthWeight{12, 9},  LengthWeight{13, 17},
    LengthWeight{14, 23}, LengthWeight{15, 21}, LengthWeight{16, 13}, LengthWeight{17, 7},
    LengthWeight{18, 3},  LengthWeight{19, 2},
};

// HLA alleles with the anchors of the 9-mers they present (position 2 and 9).
struct HlaAnchors {
  std::string_view mhc;
  std::string_view second;
  std::string_view last;
};
inline constexpr std::array kHlaAnchors = {
    HlaAnchors{"HLA-A*02:01", "LMI", "VLI"}, HlaAnchors{"HLA-A*24:02", "YF", "FLI"},
    HlaAnchors{"HLA-A*01:01", "TSD", "Y"},   HlaAnchors{"HLA-B*07:02", "P", "LMA"},
    HlaAnchors{"HLA-A*03:01", "LVM", "KR"},  HlaAnchors{"HLA-A*11:01", "TVS", "K"},
    HlaAnchors{"HLA-B*08:01", "RL", "LV"},   HlaAnchors{"HLA-B*35:01", "P", "YFM"},
};

}  // namespace tcrops::data
