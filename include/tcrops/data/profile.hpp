#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace tcrops::data {

// What the shapes of TCRs are counted over: each distinct TCR once, which keeps all of them in
// memory, or each record, in memory that does not grow with the records.
enum class Counting { kTcrs, kRecords };

// The most frequent 3-mers of a CDR3 that a profile lists.
inline constexpr std::size_t kProfileKmers = 512;
// Distinct names (epitopes, genes of a kind, MHCs) that are counted apart. Further ones count
// together; which these are depends on the order of the records.
inline constexpr std::size_t kProfileNames = 100'000;

// Counts what is in a dataset, record by record. Not thread-safe.
class ProfileBuilder {
 public:
  explicit ProfileBuilder(Counting counting);
  ProfileBuilder(ProfileBuilder&&) noexcept;
  ProfileBuilder& operator=(ProfileBuilder&&) noexcept;
  ~ProfileBuilder();

  // Throws Error (kFailure) when some records have a side and others none; looks at
  // check_interrupt().
  void add(const Record& record, std::optional<Side> side = std::nullopt);

  // Over rows, unless it says "TCR" (which in `counted` "records" are rows too):
  //   schema "tcrops.profile/1"; counted "tcrs" or "records";
  //   rows, tcrs (null where records are counted), positives, and the same for
  //   sides.<train|validation|test> (when there are sides) and epitopes.<name>;
  //   other_epitopes: rows of epitopes beyond the first kProfileNames (only where records are
  //   counted);
  //   tcrs_per_epitope.<"0", "1", "2-3", "4-7", …>: epitopes with so many TCRs labelled positive;
  //   classes.<positive|negative|unlabelled>;
  //   origins.<given|…|unknown> of the negatives; mhc.<name>; lengths.Epitope.<length>;
  //   missing.<column>: rows without a value, for every column of kColumnNames and Label;
  //   lengths.<CDR3_alpha|CDR1_alpha|…>.<length> and genes.<V_alpha|…>.<gene> over TCRs;
  //   letters.<CDR3_alpha|CDR3_beta>.<letter> over TCRs;
  //   positions.<CDR3_alpha|CDR3_beta>.<"1 C"|"-1 F"|…> over TCRs: an amino acid at a place; the
  //   first half of the CDR3 (the longer one) is numbered from the start by 1, 2, …, the rest from
  //   the end by -1, -2, …, so each letter has one place; at most 12 each way, the middle of a
  //   longer CDR3 has none;
  //   kmers.<CDR3_alpha|CDR3_beta> over TCRs: `total` and `distinct` 3-mers of amino acids and
  //   `top`, the kProfileKmers most frequent (of equal ones the first by name) with their counts;
  //   fingerprint: data/fingerprint.hpp.
  // A missing value is counted nowhere but in `missing`, `epitopes` and `mhc` (name "").
  [[nodiscard]] Json json() const;
  [[nodiscard]] Fingerprint fingerprint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ProfileBuilder::json of whole records, counting distinct TCRs. Without `sides` (empty span) the
// sides are left out. Throws Error (kFailure) when there are not as many sides as records.
[[nodiscard]] Json profile(std::span<const Record> records, std::span<const Side> sides);

}  // namespace tcrops::data
