// Finds near duplicates (tcrops/data/similarity.hpp) without comparing every TCR with every other.
#pragma once

#include <tcrops/data/similarity.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Distinct texts by themselves and by what is left when one letter is taken out: two texts within
// one edit of each other always have one of these in common (Mor and Fraenkel, Communications of
// the ACM 25, 1982). Candidates are compared letter by letter, so the answers are exact.
class TextIndex {
 public:
  // Takes the texts in any order, with repeats; empty ones are left out.
  explicit TextIndex(std::vector<std::string> texts);

  // Sorted, without repeats. A text's number is its place here.
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }
  // The number of a text that is here.
  [[nodiscard]] std::uint32_t number(std::string_view text) const;
  // Numbers of the texts within one edit of `text`, ascending.
  [[nodiscard]] std::vector<std::uint32_t> near(std::string_view text) const;

 private:
  struct Entry {
    std::uint64_t hash;
    std::uint32_t text;
  };
  // Entries with the hash's leading bits.
  [[nodiscard]] std::span<const Entry> bucket(std::uint64_t hash) const;

  std::vector<std::string> texts_;
  unsigned shift_ = 63;
  std::vector<std::uint32_t> starts_;  // of the buckets, and one past the last
  std::vector<Entry> entries_;
};

// Many TCRs by their CDR3s. Immutable; thread-safe.
class TcrIndex {
 public:
  // TCRs are numbered by their place in `tcrs`; equal ones may occur, and those without a CDR3 are
  // never found.
  explicit TcrIndex(const std::vector<Cdr3s>& tcrs);

  // Calls `found` with the number of each near duplicate of `tcr`, itself included, once each,
  // until it returns false.
  using Found = std::function<bool(std::size_t)>;
  void visit(const Cdr3s& tcr, const Found& found) const;

 private:
  // A TCR with its CDR3s as numbers; kMissing for none.
  static constexpr std::uint32_t kMissing = 0xFFFFFFFFU;
  struct Node {
    std::uint32_t first;   // the chain the nodes are grouped by
    std::uint32_t second;  // the other one
    std::uint32_t tcr;
  };
  // Nodes with that first chain.
  static std::span<const Node> group(const std::vector<Node>& nodes, std::uint32_t first);

  [[nodiscard]] bool visit_by_beta(const Cdr3s& tcr, std::span<const std::uint32_t> alphas,
                                   const Found& found) const;
  [[nodiscard]] bool visit_by_alpha(const Cdr3s& tcr, std::span<const std::uint32_t> alphas,
                                    const Found& found) const;

  TextIndex alphas_;
  TextIndex betas_;
  std::vector<Node> by_beta_;   // beta, alpha; those that have a beta
  std::vector<Node> by_alpha_;  // alpha, beta; those that have an alpha
};

}  // namespace tcrops::data
