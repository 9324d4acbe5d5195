#include "oci/chain_id.h"

#include "tests/unit/catch.h"

namespace oci {

TEST_CASE("the ChainID of the lowest layer is its DiffID, and each further one hashes the one below") {
  const Digest a = Digest::of(base::view_of("a"));
  const Digest b = Digest::of(base::view_of("b"));
  const std::vector<Digest> diff_ids = {a, b, a};
  const auto chain = chain_ids(diff_ids);
  REQUIRE(chain.size() == 3);
  CHECK(chain[0] == a);
  CHECK(chain[1] == Digest::of(base::view_of(a.string() + " " + b.string())));
  CHECK(chain[2] == Digest::of(base::view_of(chain[1].string() + " " + a.string())));
  CHECK(chain_ids({}).empty());
}

}  // namespace oci
