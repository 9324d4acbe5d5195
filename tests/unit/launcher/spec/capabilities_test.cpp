#include "launcher/spec/capabilities.h"

#include "tests/unit/catch.h"

using launcher::capability_number;
using launcher::parse_capability_set;

TEST_CASE("capabilities have the kernel's numbers") {
  CHECK(capability_number("CAP_CHOWN") == 0U);
  CHECK(capability_number("CAP_NET_ADMIN") == 12U);
  CHECK(capability_number("CAP_SYS_ADMIN") == 21U);
  CHECK(capability_number("CAP_AUDIT_READ") == 37U);
  CHECK(capability_number("CAP_CHECKPOINT_RESTORE") == 40U);
  for (const char* name : {"", "SYS_ADMIN", "cap_sys_admin", "CAP_SYS_ADMIN ", "CAP_NOTHING"}) {
    CHECK_FALSE(capability_number(name));
  }
}

TEST_CASE("a set is a bit for each capability") {
  CHECK(launcher::capability_set({}) == 0);
  CHECK(launcher::capability_set({"CAP_CHOWN", "CAP_SYS_ADMIN"}) == 0x200001);
}

TEST_CASE("a set is read as the kernel writes it") {
  CHECK(parse_capability_set("000001ffffffffff") == 0x1ffffffffffU);
  CHECK(parse_capability_set("0000000000000000") == 0U);
  for (const char* text : {"", "1ffffffffff", "000001fffffffffg", "000001ffffffffff0", " 00001ffffffffff"}) {
    CHECK_FALSE(parse_capability_set(text));
  }
}
