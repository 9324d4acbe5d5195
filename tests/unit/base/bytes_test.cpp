#include "base/bytes.h"

#include "base/error.h"
#include "tests/unit/catch.h"

using base::ByteReader;
using base::Bytes;

TEST_CASE("a reader takes integers of either order and ends where the buffer ends") {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  ByteReader reader(bytes, "log");
  CHECK(reader.u8("a") == 1);
  CHECK(reader.u16_le("b") == 0x0302);
  CHECK(reader.u32_be("c") == 0x04050607);
  CHECK(reader.u64_le("d") == 0x0f0e0d0c0b0a0908);
  CHECK(reader.empty());
  reader.expect_end();
}

TEST_CASE("reading past the end names the buffer, the field and the place") {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes, "log");
  reader.u8("first");
  CHECK_THROWS_WITH(reader.u32_le("length"), "log: length at offset 1 needs 4 bytes, 2 are left");
  CHECK_THROWS_WITH(reader.expect_end(), "log: 2 trailing bytes at offset 1");
  CHECK_THROWS_AS(reader.take(SIZE_MAX, "huge"), base::InvalidInput);
}

TEST_CASE("appended integers read back") {
  Bytes bytes;
  base::append_u8(bytes, 7);
  base::append_u32_be(bytes, 0xdeadbeef);
  base::append_u64_be(bytes, 0x0102030405060708);
  ByteReader reader(bytes, "b");
  CHECK(reader.u8("a") == 7);
  CHECK(reader.u32_be("b") == 0xdeadbeef);
  CHECK(reader.u64_be("c") == 0x0102030405060708);
}

TEST_CASE("both comparisons agree") {
  const Bytes a = {1, 2, 3};
  for (const Bytes& b : {Bytes{1, 2, 3}, Bytes{1, 2, 4}, Bytes{1, 2}, Bytes{}}) {
    CHECK(base::equal(a, b) == (a == b));
    CHECK(base::equal_in_constant_time(a, b) == (a == b));
  }
}
