#include "measure/digest.h"

#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/catch.h"

using measure::Digest;
using measure::DigestSet;
using measure::HashAlgorithm;

TEST_CASE("a digest is as long as its algorithm makes it") {
  for (const HashAlgorithm algorithm : measure::kHashAlgorithms) {
    const std::size_t size = measure::digest_size(algorithm);
    CHECK(Digest(algorithm, base::Bytes(size, 7)).to_bytes() == base::Bytes(size, 7));
    CHECK(Digest::zero(algorithm).to_bytes() == base::Bytes(size, 0));
    CHECK_THROWS_AS(Digest(algorithm, base::Bytes(size - 1, 7)), base::InvalidInput);
    CHECK_THROWS_AS(Digest(algorithm, base::Bytes(size + 1, 7)), base::InvalidInput);
  }
  CHECK_THROWS_WITH(Digest(HashAlgorithm::kSha256, base::Bytes(20, 7)),
                    ContainsSubstring("sha256 digests do not have 20 bytes"));
}

TEST_CASE("the same bytes under another algorithm are another digest") {
  const Digest digest = Digest::of(HashAlgorithm::kSha1, base::view_of("abc"));
  CHECK(base::hex_encode(digest.bytes()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(digest == Digest(HashAlgorithm::kSha1, digest.bytes()));
  CHECK(Digest::zero(HashAlgorithm::kSha1) != Digest::zero(HashAlgorithm::kSha256));
}

TEST_CASE("a register is extended with digests of its own bank only") {
  const Digest start = Digest::of(HashAlgorithm::kSha256, base::view_of("a"));
  const Digest event = Digest::of(HashAlgorithm::kSha256, base::view_of("b"));
  base::Bytes both = start.to_bytes();
  base::append(both, event.bytes());
  CHECK(start.extended(event) == Digest::of(HashAlgorithm::kSha256, both));
  CHECK_THROWS_AS(start.extended(Digest::zero(HashAlgorithm::kSha1)), base::Error);
}

TEST_CASE("a set has one digest of an algorithm, in the order of the algorithms") {
  DigestSet set = {Digest::zero(HashAlgorithm::kSha512), Digest::zero(HashAlgorithm::kSha1)};
  CHECK(set.insert(Digest::zero(HashAlgorithm::kSha256)));
  const Digest other = Digest::of(HashAlgorithm::kSha1, {});
  CHECK_FALSE(set.insert(other));
  CHECK(set.at(HashAlgorithm::kSha1) == Digest::zero(HashAlgorithm::kSha1));
  set.set(other);
  CHECK(set.at(HashAlgorithm::kSha1) == other);
  std::vector<HashAlgorithm> order;
  for (const Digest& digest : set) order.push_back(digest.algorithm());
  CHECK(order == std::vector{HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha512});
  CHECK_FALSE(set.contains(HashAlgorithm::kSha384));
  CHECK_THROWS_WITH(set.at(HashAlgorithm::kSha384), ContainsSubstring("there is no sha384 digest"));
  set.erase(HashAlgorithm::kSha256);
  CHECK(set.find(HashAlgorithm::kSha256) == nullptr);
  CHECK(set == DigestSet{Digest::zero(HashAlgorithm::kSha512), other});
}
