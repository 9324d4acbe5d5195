#include "oci/chain_id.h"

namespace oci {

std::vector<Digest> chain_ids(std::span<const Digest> diff_ids) {
  std::vector<Digest> chain;
  chain.reserve(diff_ids.size());
  for (const Digest& diff_id : diff_ids) {
    if (chain.empty()) {
      chain.push_back(diff_id);
    } else {
      chain.push_back(Digest::of(base::view_of(chain.back().string() + " " + diff_id.string())));
    }
  }
  return chain;
}

}  // namespace oci
