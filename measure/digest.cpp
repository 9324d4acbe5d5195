#include "measure/digest.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace measure {

Digest::Digest(HashAlgorithm algorithm, base::ByteView value) : algorithm_(algorithm) {
  if (value.size() != digest_size(algorithm)) {
    throw base::InvalidInput(
        "digest", std::string(name_of(algorithm)) + " digests do not have " + std::to_string(value.size()) + " bytes");
  }
  std::ranges::copy(value, value_.begin());
}

Digest Digest::of(HashAlgorithm algorithm, base::ByteView bytes) { return {algorithm, hash(algorithm, bytes)}; }

Digest Digest::extended(const Digest& digest) const {
  if (digest.algorithm_ != algorithm_) throw base::Error("a register is extended with a digest of another bank");
  return {algorithm_, hash(algorithm_, {bytes(), digest.bytes()})};
}

DigestSet::DigestSet(std::initializer_list<Digest> digests) {
  for (const Digest& digest : digests) set(digest);
}

bool DigestSet::insert(const Digest& digest) {
  const auto place = std::ranges::lower_bound(digests_, digest.algorithm(), {}, &Digest::algorithm);
  if (place != digests_.end() && place->algorithm() == digest.algorithm()) return false;
  digests_.insert(place, digest);
  return true;
}

void DigestSet::set(const Digest& digest) {
  erase(digest.algorithm());
  insert(digest);
}

void DigestSet::erase(HashAlgorithm algorithm) {
  std::erase_if(digests_, [&](const Digest& digest) { return digest.algorithm() == algorithm; });
}

const Digest* DigestSet::find(HashAlgorithm algorithm) const noexcept {
  const auto found = std::ranges::find(digests_, algorithm, &Digest::algorithm);
  return found == digests_.end() ? nullptr : &*found;
}

const Digest& DigestSet::at(HashAlgorithm algorithm) const {
  const Digest* found = find(algorithm);
  if (found == nullptr) throw base::Error("there is no " + std::string(name_of(algorithm)) + " digest");
  return *found;
}

}  // namespace measure
