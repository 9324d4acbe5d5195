#pragma once

#include <array>
#include <initializer_list>
#include <vector>

#include "base/bytes.h"
#include "measure/hash.h"

namespace measure {

/// A digest, or the value of a register, that is as long as its algorithm makes it.
class Digest {
 public:
  /// Throws InvalidInput for another length.
  Digest(HashAlgorithm algorithm, base::ByteView value);

  static Digest of(HashAlgorithm algorithm, base::ByteView bytes);
  /// What a register holds before anything is measured into it.
  static Digest zero(HashAlgorithm algorithm) { return Digest(algorithm); }

  HashAlgorithm algorithm() const noexcept { return algorithm_; }
  base::ByteView bytes() const noexcept { return base::ByteView(value_).first(digest_size(algorithm_)); }
  base::Bytes to_bytes() const { return {bytes().begin(), bytes().end()}; }

  /// TPM2_PCR_Extend: the new value of a register that holds this one.
  Digest extended(const Digest& digest) const;

  bool operator==(const Digest&) const = default;

 private:
  explicit Digest(HashAlgorithm algorithm) : algorithm_(algorithm) {}

  HashAlgorithm algorithm_;
  std::array<std::uint8_t, kMaxDigestSize> value_{};  ///< zero behind the digest
};

/// One digest for each of some algorithms, in the order of kHashAlgorithms.
class DigestSet {
 public:
  DigestSet() = default;
  DigestSet(std::initializer_list<Digest> digests);

  /// False, and nothing changed, when there is one of that algorithm.
  bool insert(const Digest& digest);
  /// In the place of the one of that algorithm, if there is one.
  void set(const Digest& digest);
  void erase(HashAlgorithm algorithm);

  /// Null when there is none.
  const Digest* find(HashAlgorithm algorithm) const noexcept;
  bool contains(HashAlgorithm algorithm) const noexcept { return find(algorithm) != nullptr; }
  /// Throws Error when there is none.
  const Digest& at(HashAlgorithm algorithm) const;

  auto begin() const noexcept { return digests_.begin(); }
  auto end() const noexcept { return digests_.end(); }
  std::size_t size() const noexcept { return digests_.size(); }
  bool empty() const noexcept { return digests_.empty(); }

  bool operator==(const DigestSet&) const = default;

 private:
  std::vector<Digest> digests_;
};

}  // namespace measure
