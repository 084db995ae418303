#include "near_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/negatives.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace tcrops::data {
namespace {

using Ids = std::vector<std::size_t>;

// The columns that are missing, by their numbers.
using Gaps = std::bitset<kColumnCount>;
struct GapsLess {
  bool operator()(const Gaps& a, const Gaps& b) const { return a.to_ulong() < b.to_ulong(); }
};

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
        gaps_(gaps(records, tcrs_, columns)),
        listed_(tcrs_.count()),
        bound_(tcrs_.count()) {
    for (std::size_t row = 0; row < records.size(); ++row) {
      if (records[row][Column::kEpitope].empty()) continue;
      const std::size_t epitope = epitope_of(records[row]);
      listed_[tcrs_.of_row[row]].push_back(epitope);
      if (records[row].label.value_or(false)) bound_[tcrs_.of_row[row]].push_back(epitope);
    }
    for (Ids& ids : listed_) ids = as_set(std::move(ids));
    for (Ids& ids : bound_) ids = as_set(std::move(ids));
  }

  [[nodiscard]] std::size_t tcr_of(std::size_t row) const { return tcrs_.of_row[row]; }
  [[nodiscard]] std::size_t epitope_of(const Record& record) const {
    return static_cast<std::size_t>(
        std::lower_bound(names_.begin(), names_.end(), record[Column::kEpitope]) - names_.begin());
  }

  [[nodiscard]] bool binds(std::size_t tcr) const { return !bound_[tcr].empty(); }
  [[nodiscard]] Gaps gaps_of(std::size_t tcr) const { return gaps_[tcr]; }

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

  [[nodiscard]] Record negative(const Record& base, std::size_t epitope, std::string_view mhc,
                                Origin origin) const {
    Record record = base;
    record[Column::kEpitope] = names_[epitope];
    record[Column::kMhc] = mhc;
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

  static std::vector<Gaps> gaps(std::span<const Record> records, const DistinctTcrs& tcrs,
                                std::span<const Column> columns) {
    std::vector<Gaps> all;
    for (const std::size_t row : tcrs.first_row) {
      Gaps missing;
      for (const Column column : columns) {
        missing.set(static_cast<std::size_t>(column), records[row][column].empty());
      }
      all.push_back(missing);
    }
    return all;
  }

  DistinctTcrs tcrs_;
  std::vector<std::string> names_;
  std::vector<Ids> near_;
  std::vector<Cdr3s> cdr3s_;
  TcrIndex index_;
  std::vector<Gaps> gaps_;
  std::vector<Ids> listed_;  // epitopes of the TCR's rows
  std::vector<Ids> bound_;   // those it binds
};

// What binds an epitope in a part, among TCRs that lack the same columns.
struct Binders {
  std::size_t tcrs = 0;
  std::vector<std::string_view> mhcs;  // of all their rows, sorted; some may be empty
};
using BindersOfEpitopes = std::map<std::size_t, Binders>;

// What one part has to draw from: TCRs and epitopes by number, rows by place.
struct Part {
  std::map<std::size_t, std::set<std::size_t>> bound;  // epitopes of each TCR that binds
  std::map<Gaps, BindersOfEpitopes, GapsLess> binders;
  std::map<std::size_t, std::size_t> rows;      // of each TCR that binds, the first by value
  std::map<std::size_t, std::size_t> controls;  // likewise, of control TCRs
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
      Binders& binders = part.binders[known.gaps_of(tcr)][epitope];
      if (part.bound[tcr].insert(epitope).second) ++binders.tcrs;
      binders.mhcs.push_back(records[row][Column::kMhc]);
    }
  }
  for (auto& [number, part] : collected) {
    for (auto& [gaps, epitopes] : part.binders) {
      for (auto& [epitope, binders] : epitopes) {
        std::sort(binders.mhcs.begin(), binders.mhcs.end());
      }
    }
  }
  return collected;
}

void require_parts(std::span<const Record> records, std::span<const std::size_t> parts) {
  if (records.size() == parts.size()) return;
  throw Error(ExitCode::kFailure, fmt::format("negatives: {} records but the parts of {}",
                                              records.size(), parts.size()));
}

// Deals the MHCs of a part's binding rows to its negatives: of each epitope and gaps all of them in
// an order by chance, and then all again.
class MhcDealer {
 public:
  MhcDealer(const Part& part, Rng rng) : part_(part), rng_(rng) {}

  std::string_view next(Gaps gaps, std::size_t epitope) {
    Deck& deck = decks_[gaps][epitope];
    if (deck.at == deck.mhcs.size()) {
      deck = {part_.binders.at(gaps).at(epitope).mhcs, 0};
      rng_.shuffle(deck.mhcs);
    }
    return deck.mhcs[deck.at++];
  }

 private:
  struct Deck {
    std::vector<std::string_view> mhcs;
    std::size_t at = 0;
  };

  const Part& part_;
  Rng rng_;
  std::map<Gaps, std::map<std::size_t, Deck>, GapsLess> decks_;
};

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
    MhcDealer mhcs(part, Rng(options.seed, "swapped_negatives_mhc", number));
    for (const auto& [tcr, bound] : part.bound) {
      check_interrupt();
      Ids out = known.ruled_out(tcr);
      Ids& before = drawn_before[tcr];
      out.insert(out.end(), before.begin(), before.end());
      out = as_set(std::move(out));
      const Gaps gaps = known.gaps_of(tcr);
      const BindersOfEpitopes& epitopes = part.binders.at(gaps);
      std::vector<Candidate> candidates;
      for (const auto& [epitope, binders] : epitopes) {
        if (std::binary_search(out.begin(), out.end(), epitope)) continue;
        candidates.push_back({epitope, binders.tcrs});
      }
      const std::size_t due = options.ratio * bound.size();
      const Ids drawn = draw_epitopes(std::move(candidates), due, rng);
      for (const std::size_t epitope : drawn) {
        before.push_back(epitope);
        negatives.records.push_back(known.negative(records[part.rows.at(tcr)], epitope,
                                                   mhcs.next(gaps, epitope), Origin::kSwapped));
        negatives.parts.push_back(number);
      }
      negatives.shortage += due - drawn.size();
      if (epitopes.size() == bound.size()) negatives.unmatched += due;
    }
  }
  return negatives;
}

namespace {

// Controls in queues by their gaps: who is used goes to the end, who is ruled out keeps its place.
class ControlQueues {
 public:
  ControlQueues(const Part& part, const Knowledge& known, Rng rng) {
    Ids order;
    for (const auto& [tcr, row] : part.controls) order.push_back(tcr);
    rng.shuffle(order);
    for (const std::size_t tcr : order) {
      queues_[known.gaps_of(tcr)].push_back(tcr);
      ruled_out_[tcr] = known.ruled_out(tcr);
    }
  }

  [[nodiscard]] bool any_with(Gaps gaps) const { return queues_.contains(gaps); }

  // Up to `count` controls with those gaps for the epitope.
  Ids take(Gaps gaps, std::size_t epitope, std::size_t count) {
    std::deque<std::size_t>& queue = queues_[gaps];
    Ids taken;
    Ids passed_over;
    for (std::size_t n = queue.size(); n > 0 && taken.size() < count; --n) {
      const std::size_t tcr = queue.front();
      queue.pop_front();
      const Ids& out = ruled_out_.at(tcr);
      const bool usable = !std::binary_search(out.begin(), out.end(), epitope);
      (usable ? taken : passed_over).push_back(tcr);
    }
    queue.insert(queue.begin(), passed_over.begin(), passed_over.end());
    queue.insert(queue.end(), taken.begin(), taken.end());
    return taken;
  }

 private:
  std::map<Gaps, std::deque<std::size_t>, GapsLess> queues_;
  std::map<std::size_t, Ids> ruled_out_;
};

using Pairs = std::set<std::pair<std::size_t, std::size_t>>;  // TCR, epitope

}  // namespace

Negatives background_negatives(std::span<const Record> records, std::span<const std::size_t> parts,
                               NegativeOptions options, std::span<const Column> columns) {
  require_parts(records, parts);
  const Knowledge known(records, columns);
  Pairs drawn_before;
  Negatives negatives;
  for (const auto& [number, part] : collect_parts(records, parts, known)) {
    ControlQueues queues(part, known, Rng(options.seed, "background_negatives", number));
    MhcDealer mhcs(part, Rng(options.seed, "background_negatives_mhc", number));
    Pairs drawn;
    std::size_t due_here = 0;
    for (const auto& [gaps, epitopes] : part.binders) {
      const bool unmatched = !queues.any_with(gaps);
      for (const auto& [epitope, binders] : epitopes) {
        check_interrupt();
        const std::size_t due = options.ratio * binders.tcrs;
        due_here += due;
        negatives.unmatched += unmatched ? due : 0;
        for (const std::size_t tcr : queues.take(gaps, epitope, due)) {
          if (drawn_before.insert({tcr, epitope}).second) drawn.insert({tcr, epitope});
        }
      }
    }
    for (const auto& [tcr, epitope] : drawn) {
      negatives.records.push_back(known.negative(records[part.controls.at(tcr)], epitope,
                                                 mhcs.next(known.gaps_of(tcr), epitope),
                                                 Origin::kBackground));
      negatives.parts.push_back(number);
    }
    negatives.shortage += due_here - drawn.size();
  }
  return negatives;
}

}  // namespace tcrops::data
