#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/unit/verifier/support/published_document.h"
#include "verifier/reference/publisher.h"
#include "verifier/reference/reference_values.h"

/// A document that the publisher has signed, whatever it says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::DocumentSigner signer;
  static const verifier::Publisher publisher("team", signer.public_pem(), "keys");
  const std::string_view document = base::text_of({data, size});
  try {
    verifier::ReferenceValues values;
    values.add_published(document, signer.sign(document), publisher, "document");
    if (values.publications().size() != 1 || values.publications().front()->version == 0) std::abort();
  } catch (const base::InvalidInput&) {
  }
  return 0;
}
