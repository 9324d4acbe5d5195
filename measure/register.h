#pragma once

#include <cstdint>
#include <string>

#include "measure/cel.h"
#include "measure/digest.h"

namespace measure {

/// A register that is never written but only extended, in each of its banks: a PCR of a TPM, or a measurement register
/// of a confidential virtual machine.
class Register {
 public:
  virtual ~Register() = default;

  /// By what a canonical event log names it.
  virtual RegisterKind kind() const = 0;
  virtual std::uint8_t index() const = 0;
  /// For people: "PCR 13".
  virtual std::string name() const = 0;

  /// What every bank holds.
  virtual DigestSet read() = 0;
  /// All banks with one command; `digests` has one for each.
  virtual void extend(const DigestSet& digests) = 0;
};

}  // namespace measure
