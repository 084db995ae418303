#pragma once

#include <tcrops/data/similarity.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tcrops::stages {

// How near a TCR is to the nearest of a set. The similarity of two CDR3s is the cosine of their
// counts of 3-letter words, that of two TCRs the mean over the chains that both have; 0 when they
// share no chain. From 0 to 1; equal CDR3s give exactly 1.
//
// Exact, and quick although some words stand in nearly every CDR3: the words of a query are looked
// up from the rarest on, and what is left unseen can add at most the length of its part of the
// query (Cauchy-Schwarz), so the search ends when that is less than the best found.
class NearestTcr {
 public:
  explicit NearestTcr(std::span<const data::Cdr3s> tcrs);
  // Uses working memory of the object: one thread at a time.
  [[nodiscard]] double similarity(const data::Cdr3s& query);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct WordCount {
    std::uint32_t word = 0;  // three letters, one byte each
    std::uint32_t count = 0;
  };
  struct Chain {
    std::vector<WordCount> words;  // ascending
    double length = 0.0;           // of the vector of counts
  };
  // Place of a word in a TCR: the count over the chain's length.
  struct Posting {
    std::uint32_t tcr = 0;
    float part = 0.0F;
  };
  using Postings = std::unordered_map<std::uint32_t, std::vector<Posting>>;
  // TCRs that have the same chains.
  struct Group {
    std::vector<std::size_t> chains;  // 0 alpha, 1 beta
    std::array<std::vector<Chain>, 2> of;
    std::array<Postings, 2> postings;
    std::vector<float> sums;  // per TCR, zero between queries
    std::size_t size = 0;
  };
  // A word of the query in one chain of a group.
  struct Step {
    const std::vector<Posting>* postings = nullptr;
    std::size_t chain = 0;
    double part = 0.0;
  };
  using Query = std::array<Chain, 2>;

  static Chain chain_of(std::string_view cdr3);
  static double cosine(const Chain& a, const Chain& b);
  static double similarity(const Group& group, std::size_t tcr, const Query& query,
                           std::span<const std::size_t> shared);
  double best_of(Group& group, const Query& query, double at_least);

  std::array<Group, 3> groups_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> touched_;
};

}  // namespace tcrops::stages
