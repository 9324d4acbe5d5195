#pragma once

namespace base {

/// Whether standard error, where the log goes, is the stream to systemd's journal that JOURNAL_STREAM tells of
/// ("device:inode", systemd.exec(5)).
bool log_is_journal();

}  // namespace base
