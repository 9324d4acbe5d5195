#include "measure/uefi/guid.h"

#include "base/error.h"
#include "tests/unit/catch.h"

TEST_CASE("A GUID is written as the specification writes it") {
  CHECK(measure::kGlobalVariableGuid.string() == "8be4df61-93ca-11d2-aa0d-00e098032b8c");
  CHECK(measure::kImageSecurityGuid.string() == "d719b2cb-3d3a-4596-a3bc-dad00e67656f");
  CHECK(measure::kShimLockGuid.string() == "605dab50-e046-4300-abb6-3dd810dd8b23");
}

TEST_CASE("A GUID has sixteen bytes") {
  const base::Bytes bytes(measure::kGuidSize - 1, 7);
  base::ByteReader reader(bytes, "event");
  CHECK_THROWS_AS(measure::Guid::read(reader, "vendor"), base::InvalidInput);
}
