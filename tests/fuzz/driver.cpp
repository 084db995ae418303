// Stands in for libFuzzer where there is none: replays the seeds, then changes them at random for a
// fixed number of runs with a fixed seed. Writes each input to a file before it runs, so that the
// one that ended the process is there to be replayed.
//
// usage: fuzz_TARGET RUNS        seeds and RUNS changed ones
//        fuzz_TARGET FILE…       these inputs, as libFuzzer does it
#include "fuzz.hpp"

#include <tcrops/core/file.hpp>
#include <tcrops/core/rng.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <test_data.hpp>

namespace tcrops::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 20260101;
constexpr std::uintmax_t kLargestFile = 40'000;
constexpr std::array<std::string_view, 22> kWords = {"\n",
                                                     "\r\n",
                                                     ",",
                                                     "\t",
                                                     ";",
                                                     "\"",
                                                     "\"\"",
                                                     "\"\n\"",
                                                     "CASSF",
                                                     "NA",
                                                     "*01",
                                                     "HLA-A*02",
                                                     "GILGFVFTL",
                                                     "TRBV19*01,TRBV6",
                                                     "\xEF\xBB\xBF",
                                                     "\xFF",
                                                     "true",
                                                     "F",
                                                     "0",
                                                     "-1",
                                                     "1e309",
                                                     "999999999999999999999"};

std::vector<std::string> example_tables() {
  std::vector<fs::path> paths;
  const auto folder = test::find_test_data("formats");
  if (!folder) return {};
  for (const auto& entry : fs::recursive_directory_iterator(*folder)) {
    if (entry.is_regular_file() && entry.file_size() <= kLargestFile) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> tables;
  for (const fs::path& path : paths) tables.push_back(read_file(path));
  return tables;
}

std::string changed(std::string text, const std::vector<std::string>& all, Rng& rng) {
  for (std::uint64_t left = 1 + rng.below(4); left > 0; --left) {
    const auto at = static_cast<std::size_t>(rng.below(text.size() + 1));
    const auto length =
        static_cast<std::size_t>(rng.below(1 + std::min<std::size_t>(text.size() - at, 60)));
    switch (rng.below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1U << rng.below(8)));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, kWords.at(rng.below(kWords.size())));
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4: {
        const std::string& other = all[rng.below(all.size())];
        text.replace(at, length, other, rng.below(other.size() + 1), 100);
        break;
      }
      default:
        text.resize(at);
    }
  }
  return text;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void run_kept(const std::string& input, const fs::path& kept) {
  std::ofstream(kept, std::ios::binary) << input;
  run(input);
}

int fuzz(std::uint64_t runs, const fs::path& kept) {
  const std::vector<std::string> all = seeds(example_tables());
  for (const std::string& seed : all) run_kept(seed, kept);
  Rng rng(kSeed, "fuzz");
  for (std::uint64_t i = 0; i < runs; ++i)
    run_kept(changed(all[rng.below(all.size())], all, rng), kept);
  fs::remove(kept);
  std::cout << all.size() << " seeds and " << runs << " changed ones\n";
  return 0;
}

}  // namespace
}  // namespace tcrops::fuzz

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool is_number = words.size() == 1 && !words[0].empty() &&
                         words[0].find_first_not_of("0123456789") == std::string::npos;
  if (is_number) {
    const std::filesystem::path program = argv[0];
    return tcrops::fuzz::fuzz(std::stoull(words[0]), program.string() + ".last-input");
  }
  for (const std::string& path : words) tcrops::fuzz::run(tcrops::read_file(path));
  return words.empty() ? 2 : 0;
}
