#include "near_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/negatives.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace tcrops::data {
namespace {

using Ids = std::vector<std::size_t>;

// Ascending, each once.
Ids as_set(Ids ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<std::string> epitope_names(std::span<const Record> records) {
  std::set<std::string> names;
  for (const Record& record : records) {
    if (!record[Column::kEpitope].empty()) names.insert(record[Column::kEpitope]);
  }
  return {names.begin(), names.end()};
}

// Of each epitope those too near for a negative, itself included.
std::vector<Ids> near_epitopes(const std::vector<std::string>& names) {
  std::vector<Ids> near(names.size());
  for (std::size_t a = 0; a < names.size(); ++a) {
    check_interrupt();
    for (std::size_t b = 0; b < names.size(); ++b) {
      if (within_edits(names[a], names[b], kEpitopeDistance - 1)) near[a].push_back(b);
    }
  }
  return near;
}

// What the whole table knows of its TCRs and epitopes; both by number.
class Knowledge {
 public:
  Knowledge(std::span<const Record> records, std::span<const Column> columns)
      : tcrs_(distinct_tcrs(records, columns)),
        names_(epitope_names(records)),
        near_(near_epitopes(names_)),
        cdr3s_(chains(records, tcrs_, columns)),
        index_(cdr3s_),
        listed_(tcrs_.count()),
        bound_(tcrs_.count()),
        mhc_(names_.size()) {
    std::vector<std::map<std::string, std::size_t>> mhcs(names_.size());
    for (std::size_t row = 0; row < records.size(); ++row) {
      if (records[row][Column::kEpitope].empty()) continue;
      const std::size_t epitope = epitope_of(records[row]);
      listed_[tcrs_.of_row[row]].push_back(epitope);
      if (!records[row].label.value_or(false)) continue;
      bound_[tcrs_.of_row[row]].push_back(epitope);
      const std::string& mhc = records[row][Column::kMhc];
      if (!mhc.empty()) ++mhcs[epitope][mhc];
    }
    for (Ids& ids : listed_) ids = as_set(std::move(ids));
    for (Ids& ids : bound_) ids = as_set(std::move(ids));
    for (std::size_t epitope = 0; epitope < names_.size(); ++epitope) {
      const auto most =
          std::max_element(mhcs[epitope].begin(), mhcs[epitope].end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      if (most != mhcs[epitope].end()) mhc_[epitope] = most->first;
    }
  }

  [[nodiscard]] std::size_t tcr_of(std::size_t row) const { return tcrs_.of_row[row]; }
  [[nodiscard]] std::size_t epitope_of(const Record& record) const {
    return static_cast<std::size_t>(
        std::lower_bound(names_.begin(), names_.end(), record[Column::kEpitope]) - names_.begin());
  }

  [[nodiscard]] bool binds(std::size_t tcr) const { return !bound_[tcr].empty(); }

  // Epitopes that no negative of the TCR may have, ascending.
  [[nodiscard]] Ids ruled_out(std::size_t tcr) const {
    Ids known = bound_[tcr];
    index_.visit(cdr3s_[tcr], [&](std::size_t other) {
      known.insert(known.end(), bound_[other].begin(), bound_[other].end());
      return true;
    });
    known = as_set(std::move(known));
    Ids out = listed_[tcr];
    for (const std::size_t epitope : known) {
      out.insert(out.end(), near_[epitope].begin(), near_[epitope].end());
    }
    return as_set(std::move(out));
  }

  [[nodiscard]] Record negative(const Record& base, std::size_t epitope, Origin origin) const {
    Record record = base;
    record[Column::kEpitope] = names_[epitope];
    record[Column::kMhc] = mhc_[epitope];
    record.label = false;
    record.origin = origin;
    record.extra.assign(base.extra.size(), "");
    record.line = 0;
    return record;
  }

 private:
  static std::vector<Cdr3s> chains(std::span<const Record> records, const DistinctTcrs& tcrs,
                                   std::span<const Column> columns) {
    std::vector<Cdr3s> all;
    for (const std::size_t row : tcrs.first_row) all.push_back(cdr3s_of(records[row], columns));
    return all;
  }

  DistinctTcrs tcrs_;
  std::vector<std::string> names_;
  std::vector<Ids> near_;
  std::vector<Cdr3s> cdr3s_;
  TcrIndex index_;
  std::vector<Ids> listed_;  // epitopes of the TCR's rows
  std::vector<Ids> bound_;   // those it binds
  std::vector<std::string> mhc_;
};

// What one part has to draw from: TCRs and epitopes by number, rows by place.
struct Part {
  std::map<std::size_t, std::set<std::size_t>> bound;  // epitopes of each TCR that binds
  std::map<std::size_t, std::size_t> binders;          // TCRs of each epitope
  std::map<std::size_t, std::size_t> rows;             // of each TCR that binds, the first by value
  std::map<std::size_t, std::size_t> controls;         // likewise, of control TCRs
};

// Whether row `a` goes before row `b`, which only tell by their values.
bool sorts_before(const Record& a, const Record& b) {
  return std::tie(a.values, a.fold) < std::tie(b.values, b.fold);
}

std::map<std::size_t, Part> collect_parts(std::span<const Record> records,
                                          std::span<const std::size_t> parts,
                                          const Knowledge& known) {
  std::map<std::size_t, Part> collected;
  for (std::size_t row = 0; row < records.size(); ++row) {
    check_interrupt();
    if (parts[row] == kNoPart) continue;
    Part& part = collected[parts[row]];
    const std::size_t tcr = known.tcr_of(row);
    const bool control = records[row][Column::kEpitope].empty();
    if (control ? known.binds(tcr) : !records[row].label.value_or(false)) continue;
    const auto [at, is_new] = (control ? part.controls : part.rows).try_emplace(tcr, row);
    if (!is_new && sorts_before(records[row], records[at->second])) at->second = row;
    if (!control) {
      const std::size_t epitope = known.epitope_of(records[row]);
      if (part.bound[tcr].insert(epitope).second) ++part.binders[epitope];
    }
  }
  return collected;
}

void require_parts(std::span<const Record> records, std::span<const std::size_t> parts) {
  if (records.size() == parts.size()) return;
  throw Error(ExitCode::kFailure, fmt::format("negatives: {} records but the parts of {}",
                                              records.size(), parts.size()));
}

// An epitope that may be drawn, and its chance.
struct Candidate {
  std::size_t epitope;
  std::uint64_t weight;
};

// Up to `count` of the candidates, one after the other without putting back; ascending.
Ids draw_epitopes(std::vector<Candidate> candidates, std::size_t count, Rng& rng) {
  std::uint64_t total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  Ids drawn;
  while (drawn.size() < count && total > 0) {
    std::uint64_t left = rng.below(total);
    std::size_t at = 0;
    for (; left >= candidates[at].weight; ++at) left -= candidates[at].weight;
    drawn.push_back(candidates[at].epitope);
    total -= candidates[at].weight;
    candidates[at].weight = 0;
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace

std::vector<std::size_t> parts_of(const std::vector<Side>& sides,
                                  std::span<const std::size_t> excluded) {
  std::vector<std::size_t> parts;
  parts.reserve(sides.size());
  for (const Side side : sides) parts.push_back(static_cast<std::size_t>(side));
  for (const std::size_t row : excluded) parts.at(row) = kNoPart;
  return parts;
}

Negatives swapped_negatives(std::span<const Record> records, std::span<const std::size_t> parts,
                            NegativeOptions options, std::span<const Column> columns) {
  require_parts(records, parts);
  const Knowledge known(records, columns);
  std::map<std::size_t, Ids> drawn_before;  // of each TCR, in whatever part
  Negatives negatives;
  for (const auto& [number, part] : collect_parts(records, parts, known)) {
    Rng rng(options.seed, "swapped_negatives", number);
    for (const auto& [tcr, bound] : part.bound) {
      check_interrupt();
      Ids out = known.ruled_out(tcr);
      Ids& before = drawn_before[tcr];
      out.insert(out.end(), before.begin(), before.end());
      out = as_set(std::move(out));
      std::vector<Candidate> candidates;
      for (const auto& [epitope, binders] : part.binders) {
        if (std::binary_search(out.begin(), out.end(), epitope)) continue;
        candidates.push_back({epitope, binders});
      }
      const std::size_t due = options.ratio * bound.size();
      const Ids drawn = draw_epitopes(std::move(candidates), due, rng);
      for (const std::size_t epitope : drawn) {
        before.push_back(epitope);
        negatives.records.push_back(
            known.negative(records[part.rows.at(tcr)], epitope, Origin::kSwapped));
        negatives.parts.push_back(number);
      }
      negatives.shortage += due - drawn.size();
    }
  }
  return negatives;
}

namespace {

// Controls in a queue: who is used goes to its end, who is ruled out keeps its place.
class ControlQueue {
 public:
  ControlQueue(const Part& part, const Knowledge& known, Rng rng) {
    std::vector<std::size_t> order;
    for (const auto& [tcr, row] : part.controls) order.push_back(tcr);
    rng.shuffle(order);
    queue_.assign(order.begin(), order.end());
    for (const std::size_t tcr : order) ruled_out_[tcr] = known.ruled_out(tcr);
  }

  // Up to `count` controls for the epitope.
  Ids take(std::size_t epitope, std::size_t count) {
    Ids taken;
    Ids passed_over;
    for (std::size_t n = queue_.size(); n > 0 && taken.size() < count; --n) {
      const std::size_t tcr = queue_.front();
      queue_.pop_front();
      const Ids& out = ruled_out_.at(tcr);
      const bool usable = !std::binary_search(out.begin(), out.end(), epitope);
      (usable ? taken : passed_over).push_back(tcr);
    }
    queue_.insert(queue_.begin(), passed_over.begin(), passed_over.end());
    queue_.insert(queue_.end(), taken.begin(), taken.end());
    return taken;
  }

 private:
  std::deque<std::size_t> queue_;
  std::map<std::size_t, Ids> ruled_out_;
};

}  // namespace

Negatives background_negatives(std::span<const Record> records, std::span<const std::size_t> parts,
                               NegativeOptions options, std::span<const Column> columns) {
  require_parts(records, parts);
  const Knowledge known(records, columns);
  std::set<std::pair<std::size_t, std::size_t>> drawn_before;
  Negatives negatives;
  for (const auto& [number, part] : collect_parts(records, parts, known)) {
    ControlQueue queue(part, known, Rng(options.seed, "background_negatives", number));
    std::set<std::pair<std::size_t, std::size_t>> drawn;  // TCR, epitope
    std::size_t due = 0;
    for (const auto& [epitope, binders] : part.binders) {
      check_interrupt();
      due += options.ratio * binders;
      for (const std::size_t tcr : queue.take(epitope, options.ratio * binders)) {
        if (drawn_before.insert({tcr, epitope}).second) drawn.insert({tcr, epitope});
      }
    }
    for (const auto& [tcr, epitope] : drawn) {
      negatives.records.push_back(
          known.negative(records[part.controls.at(tcr)], epitope, Origin::kBackground));
      negatives.parts.push_back(number);
    }
    negatives.shortage += due - drawn.size();
  }
  return negatives;
}

}  // namespace tcrops::data
