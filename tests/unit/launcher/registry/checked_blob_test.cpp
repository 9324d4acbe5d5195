#include "launcher/registry/checked_blob.h"

#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/run.h"

namespace launcher {
namespace {

/// What became of the pieces of a blob of which `wanted` is expected.
struct Transfer {
  explicit Transfer(const std::string& wanted)
      : descriptor{"application/x", Digest::of(base::view_of(wanted)), wanted.size()} {}

  void write(const std::string& piece) { test::run(context, blob.write(base::view_of(piece))); }

  base::Awaitable<void> take(base::ByteView bytes) {
    passed_on += base::text_of(bytes);
    co_return;
  }

  asio::io_context context;
  Descriptor descriptor;
  std::string passed_on;
  bool begun = false;
  BlobSink sink{.restart = []() -> base::Awaitable<void> { co_return; },
                .write = [this](base::ByteView bytes) { return take(bytes); }};
  CheckedBlob blob{descriptor, sink, begun};
};

}  // namespace

TEST_CASE("C 32: a blob is passed on as it comes, and is the one wanted") {
  Transfer transfer("the bytes of a blob");
  CHECK_FALSE(transfer.begun);
  transfer.write("the bytes ");
  CHECK(transfer.begun);
  transfer.write("of a blob");
  CHECK_NOTHROW(transfer.blob.finish());
  CHECK(transfer.passed_on == "the bytes of a blob");
}

TEST_CASE("C 32: a blob that is longer than its descriptor says goes no further than that") {
  Transfer transfer("1234");
  transfer.write("1234");
  CHECK_THROWS_WITH(transfer.write("5"), ContainsSubstring("longer than its descriptor says"));
  CHECK(transfer.passed_on == "1234");
}

TEST_CASE("C 32: a blob that is shorter, or another") {
  Transfer cut("1234");
  cut.write("123");
  CHECK_THROWS_WITH(cut.blob.finish(), ContainsSubstring("shorter than its descriptor says"));
  Transfer other("1234");
  other.write("1235");
  CHECK_THROWS_WITH(other.blob.finish(), ContainsSubstring("another digest"));
  Transfer nothing("1234");
  CHECK_THROWS_WITH(nothing.blob.finish(), ContainsSubstring("shorter than its descriptor says"));
  Transfer empty("");
  CHECK_NOTHROW(empty.blob.finish());
}

}  // namespace launcher
