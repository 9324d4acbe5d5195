#pragma once

namespace base {

/// A crash of this process, and of those that it starts, leaves no image of its memory, where keys and tokens are
/// (RLIMIT_CORE, core(5)), neither as a file nor for the program that the machine's core_pattern names. Throws
/// SystemError.
void forbid_core_dumps();

}  // namespace base
