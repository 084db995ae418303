#include "cmd_artifacts_diff_moved.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::cli {
namespace {

constexpr std::size_t kMoversShown = 3;
constexpr std::size_t kEpitopesShown = 10;
constexpr const char* kProfile = "profile.json";

bool has_profile(const store::Artifact& artifact) {
  return artifact.manifest.kind == store::Kind::kDataset &&
         artifact.manifest.files.contains(kProfile);
}

Json read_profile(const store::Store& store, const store::Artifact& artifact) {
  return parse_json(store.read(artifact, kProfile), artifact.file(kProfile).string());
}

std::string count_cell(const std::optional<std::uint64_t>& count) {
  return count ? std::to_string(*count) : std::string(1, '-');
}

std::string step_cell(const data::CountChange& count) {
  if (!count.was || !count.now) return "";
  return fmt::format("{:+}",
                     static_cast<std::int64_t>(*count.now) - static_cast<std::int64_t>(*count.was));
}

// "TRBV19*01 4.8 -> 20.1 %; …"
std::string movers_cell(const std::vector<data::Mover>& movers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(movers.size(), kMoversShown); ++i) {
    const std::string& value = movers[i].value;
    parts.push_back(fmt::format("{} {:.2f} -> {:.2f} %", value.empty() ? "(none)" : value,
                                100 * movers[i].was, 100 * movers[i].now));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string epitopes_line(const char* what, const std::vector<data::EpitopeRows>& epitopes) {
  if (epitopes.empty()) return "";
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(epitopes.size(), kEpitopesShown); ++i) {
    parts.push_back(fmt::format("{} ({} rows)", epitopes[i].epitope, epitopes[i].rows));
  }
  if (epitopes.size() > kEpitopesShown) {
    parts.push_back(fmt::format("{} more", epitopes.size() - kEpitopesShown));
  }
  return fmt::format("{}: {}\n", what, fmt::join(parts, ", "));
}

std::string distributions_text(const data::ProfileChange& change) {
  std::vector<std::vector<std::string>> rows;
  for (const data::DistributionChange& each : change.distributions) {
    if (each.movers.empty()) continue;
    rows.push_back({each.name, fmt::format("{:.4f}", each.distance), movers_cell(each.movers)});
  }
  std::string text;
  if (!rows.empty()) text = format_table({"distribution", "distance", "moved most, a -> b"}, rows);
  return text +
         fmt::format("{} distributions are equal\n", change.distributions.size() - rows.size());
}

}  // namespace

std::optional<data::ProfileChange> what_moved(const store::Store& store, const store::Artifact& was,
                                              const store::Artifact& now) {
  if (was.id == now.id || !has_profile(was) || !has_profile(now)) return std::nullopt;
  try {
    return data::profile_change(
        read_profile(store, was), read_profile(store, now),
        fmt::format("{} and {}: {}", was.short_id(), now.short_id(), kProfile));
  } catch (const Error& error) {
    if (error.code() != ExitCode::kArtifact) throw;
    log_warning(fmt::format("cannot say what moved: {}", error.what()));
    return std::nullopt;
  }
}

std::string moved_text(const data::ProfileChange& change) {
  std::string text = "What moved";
  if (change.distance) {
    text += fmt::format(": fingerprints {:.4f} apart (0 to 1)", *change.distance);
  }
  std::vector<std::vector<std::string>> rows;
  for (const data::CountChange& count : change.counts) {
    rows.push_back({count.name, count_cell(count.was), count_cell(count.now), step_cell(count)});
  }
  text += fmt::format("\n{}\n{}", format_table({"count", "a", "b", "b - a"}, rows),
                      distributions_text(change));
  if (!change.missing.empty()) {
    text += fmt::format("without a value: {}\n", movers_cell(change.missing));
  }
  text += epitopes_line("new epitopes", change.new_epitopes);
  text += epitopes_line("vanished epitopes", change.vanished_epitopes);
  if (!change.not_compared.empty()) {
    text += fmt::format("only one of them has: {}\n", fmt::join(change.not_compared, ", "));
  }
  return text;
}

}  // namespace tcrops::cli
