#include <tcrops/core/error.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/data/profile_change.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace tcrops::data {
namespace {

// Counts by value; sums over 2^53 lose nothing that a share would show.
using Counts = std::map<std::string, std::uint64_t>;
constexpr std::array kPlain = {"classes", "origins", "mhc", "tcrs_per_epitope"};
constexpr std::array kByColumn = {"lengths", "genes", "letters", "positions"};
constexpr const char* kOthers = "(others)";

// A profile's parts, with an error that names the file.
class Reader {
 public:
  Reader(const Json& profile, std::string name) : profile_(profile), name_(std::move(name)) {
    if (!profile.is_object() || !profile.contains("rows")) fail("rows");
  }

  [[nodiscard]] std::optional<std::uint64_t> count_at(const char* key) const {
    if (!profile_.contains(key) || profile_.at(key).is_null()) return std::nullopt;
    return count_of(profile_.at(key), key);
  }
  // All distributions by name; those without any count are left out.
  [[nodiscard]] std::map<std::string, Counts> distributions() const {
    std::map<std::string, Counts> all;
    for (const char* key : kPlain) all[key] = counts_of(part(profile_, key), key);
    for (const char* key : kByColumn) {
      for (const auto& [column, counts] : part(profile_, key).items()) {
        all[std::string(key) + "." + column] = counts_of(counts, key);
      }
    }
    for (const auto& [column, kmers] : part(profile_, "kmers").items()) {
      all["kmers." + column] = kmers_of(kmers);
    }
    all["epitopes"] = member_counts(part(profile_, "epitopes"), "rows");
    all["binders"] = member_counts(part(profile_, "epitopes"), "positives");
    all["sides"] = member_counts(part(profile_, "sides"), "rows");
    std::erase_if(all, [](const auto& entry) { return total(entry.second) == 0; });
    return all;
  }
  [[nodiscard]] Counts epitopes() const {
    return member_counts(part(profile_, "epitopes"), "rows");
  }
  [[nodiscard]] Counts missing() const { return counts_of(part(profile_, "missing"), "missing"); }

  [[nodiscard]] static std::uint64_t total(const Counts& counts) {
    std::uint64_t sum = 0;
    for (const auto& [value, count] : counts) sum += count;
    return sum;
  }

 private:
  [[noreturn]] void fail(const std::string& key) const {
    throw Error(ExitCode::kArtifact, name_ + ": \"" + key +
                                         "\" is not what a profile has there; run preprocess again "
                                         "with --force");
  }
  // An object below `json`; an empty one when there is none.
  [[nodiscard]] const Json& part(const Json& json, const std::string& key) const {
    static const Json nothing = Json::object();
    if (!json.contains(key)) return nothing;
    if (!json.at(key).is_object()) fail(key);
    return json.at(key);
  }
  [[nodiscard]] std::uint64_t count_of(const Json& value, const std::string& key) const {
    if (!value.is_number_integer() || value < 0) fail(key);
    return value.get<std::uint64_t>();
  }
  [[nodiscard]] Counts counts_of(const Json& object, const std::string& key) const {
    if (!object.is_object()) fail(key);
    Counts counts;
    for (const auto& [value, count] : object.items()) counts[value] = count_of(count, key);
    return counts;
  }
  [[nodiscard]] Counts kmers_of(const Json& kmers) const {
    if (!kmers.is_object() || !kmers.contains("total")) fail("kmers");
    Counts counts = counts_of(part(kmers, "top"), "kmers");
    const std::uint64_t all = count_of(kmers["total"], "kmers");
    const std::uint64_t listed = total(counts);
    if (all < listed) fail("kmers");
    if (all > listed) counts[kOthers] = all - listed;
    return counts;
  }
  [[nodiscard]] Counts member_counts(const Json& objects, const char* member) const {
    Counts counts;
    for (const auto& [name, object] : objects.items()) {
      if (!object.is_object() || !object.contains(member)) fail(member);
      counts[name] = count_of(object[member], member);
    }
    return counts;
  }

  const Json& profile_;
  std::string name_;
};

double share(const Counts& counts, const std::string& value, std::uint64_t total) {
  const auto at = counts.find(value);
  if (at == counts.end() || total == 0) return 0;
  return static_cast<double>(at->second) / static_cast<double>(total);
}

// Largest step first; of equal ones by name.
void sort_movers(std::vector<Mover>& movers) {
  std::erase_if(movers, [](const Mover& mover) { return mover.was == mover.now; });
  std::stable_sort(movers.begin(), movers.end(), [](const Mover& a, const Mover& b) {
    return std::abs(a.now - a.was) > std::abs(b.now - b.was);
  });
}

std::vector<Mover> shares(const Counts& was, std::uint64_t was_total, const Counts& now,
                          std::uint64_t now_total) {
  std::set<std::string> values;
  for (const Counts* counts : {&was, &now}) {
    for (const auto& [value, count] : *counts) values.insert(value);
  }
  std::vector<Mover> movers;
  for (const std::string& value : values) {
    movers.push_back({value, share(was, value, was_total), share(now, value, now_total)});
  }
  return movers;
}

// The share that a value outside a cut list has at most; 0 for a list that has all values.
double unlisted_share(const Counts& counts) {
  if (!counts.contains(kOthers)) return 0;
  std::uint64_t least = UINT64_MAX;
  for (const auto& [value, count] : counts) {
    if (value != kOthers) least = std::min(least, count);
  }
  return static_cast<double>(least) / static_cast<double>(Reader::total(counts));
}

// `mine`, with those values among the others that `other` may have just as often without listing
// them.
Counts only_certain(const Counts& mine, const Counts& other) {
  const std::uint64_t total = Reader::total(mine);
  const double unlisted = unlisted_share(other);
  Counts certain;
  for (const auto& [value, count] : mine) {
    const bool doubtful = !other.contains(value) && share(mine, value, total) <= unlisted;
    certain[doubtful ? kOthers : value] += count;
  }
  return certain;
}

DistributionChange compare(const std::string& name, const Counts& was, const Counts& now) {
  DistributionChange change;
  change.name = name;
  change.was_total = Reader::total(was);
  change.now_total = Reader::total(now);
  change.movers = shares(was, change.was_total, now, change.now_total);
  double sum = 0;
  for (const Mover& mover : change.movers) {
    const double step = std::sqrt(mover.was) - std::sqrt(mover.now);
    sum += step * step;
  }
  change.distance = std::min(1.0, std::sqrt(sum / 2));
  sort_movers(change.movers);
  return change;
}

// Values of `mine` that `other` has not; most rows first, of equal ones by name.
std::vector<EpitopeRows> only_in(const Counts& mine, const Counts& other) {
  std::vector<EpitopeRows> found;
  for (const auto& [epitope, rows] : mine) {
    if (!other.contains(epitope)) found.push_back({epitope, rows});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const EpitopeRows& a, const EpitopeRows& b) { return a.rows > b.rows; });
  return found;
}

Json movers_json(const std::vector<Mover>& movers) {
  Json json = Json::array();
  for (std::size_t i = 0; i < std::min(movers.size(), kMoversListed); ++i) {
    json.push_back({{"value", movers[i].value}, {"a", movers[i].was}, {"b", movers[i].now}});
  }
  return json;
}

Json epitopes_json(const std::vector<EpitopeRows>& epitopes) {
  Json listed = Json::array();
  for (std::size_t i = 0; i < std::min(epitopes.size(), kEpitopesListed); ++i) {
    listed.push_back({{"epitope", epitopes[i].epitope}, {"rows", epitopes[i].rows}});
  }
  return {{"count", epitopes.size()}, {"listed", std::move(listed)}};
}

Json or_null(const std::optional<std::uint64_t>& count) {
  return count ? Json(*count) : Json(nullptr);
}

}  // namespace

ProfileChange profile_change(const Json& was, const Json& now, const std::string& name) {
  const Reader before(was, name);
  const Reader after(now, name);
  ProfileChange change;
  for (const char* key : {"rows", "tcrs", "positives"}) {
    change.counts.push_back({key, before.count_at(key), after.count_at(key)});
  }
  const Counts old_epitopes = before.epitopes();
  const Counts new_epitopes = after.epitopes();
  change.counts.push_back({"epitopes", old_epitopes.size(), new_epitopes.size()});
  change.new_epitopes = only_in(new_epitopes, old_epitopes);
  change.vanished_epitopes = only_in(old_epitopes, new_epitopes);

  const auto one = fingerprint_of_profile(was);
  const auto other = fingerprint_of_profile(now);
  if (one && other) change.distance = distance(*one, *other).mean;

  const auto old_ones = before.distributions();
  const auto new_ones = after.distributions();
  for (const auto& [key, counts] : old_ones) {
    const auto at = new_ones.find(key);
    if (at == new_ones.end()) change.not_compared.push_back(key);
    if (at == new_ones.end()) continue;
    change.distributions.push_back(
        compare(key, only_certain(counts, at->second), only_certain(at->second, counts)));
  }
  for (const auto& [key, counts] : new_ones) {
    if (!old_ones.contains(key)) change.not_compared.push_back(key);
  }
  std::sort(change.not_compared.begin(), change.not_compared.end());
  std::stable_sort(change.distributions.begin(), change.distributions.end(),
                   [](const auto& a, const auto& b) { return a.distance > b.distance; });
  if (was.contains("missing") && now.contains("missing")) {
    change.missing = shares(before.missing(), before.count_at("rows").value_or(0), after.missing(),
                            after.count_at("rows").value_or(0));
    sort_movers(change.missing);
  }
  return change;
}

Json to_json(const ProfileChange& change) {
  Json counts = Json::object();
  for (const CountChange& count : change.counts) {
    counts[count.name] = {{"a", or_null(count.was)}, {"b", or_null(count.now)}};
  }
  Json distributions = Json::array();
  for (const DistributionChange& each : change.distributions) {
    distributions.push_back({{"name", each.name},
                             {"distance", each.distance},
                             {"a", each.was_total},
                             {"b", each.now_total},
                             {"movers", movers_json(each.movers)}});
  }
  return {{"counts", std::move(counts)},
          {"distance", change.distance ? Json(*change.distance) : Json(nullptr)},
          {"distributions", std::move(distributions)},
          {"missing", movers_json(change.missing)},
          {"new_epitopes", epitopes_json(change.new_epitopes)},
          {"vanished_epitopes", epitopes_json(change.vanished_epitopes)},
          {"not_compared", change.not_compared}};
}

}  // namespace tcrops::data
