#pragma once
#include <functional>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/time.hpp"

namespace pf::firmware::ports {

/// One reading. What the bytes mean is decided by `verify`, not here.
struct ScannedCode {
    Bytes bytes;           // as encoded; at most 4,296 (QR version 40-L)
    std::string source;    // "camera-0", "serial-ttyS1": for the journal and for people
    std::string strategy;  // which try read it; empty for sources that decode themselves
};

/// Delivers readings on the device's executor, already freed of repetitions
/// (firmware/scan/sighting.hpp).
class Scanner {
public:
    /// True: this code has answered for the whole frame it was in. What else the frame showed is
    /// asked about later if it is still held there: one frame lets in one ticket, and nothing
    /// beside it overwrites the answer.
    using Handler = std::function<bool(ScannedCode)>;
    virtual ~Scanner() = default;
    virtual void on_code(Handler handler) = 0;
};

/// A document presented at the reader. The number is wiped after its keyed hash is taken.
struct DocumentRead {
    std::string number;
    std::string source;
};

class IdReader {
public:
    using Handler = std::function<void(DocumentRead)>;
    virtual ~IdReader() = default;
    virtual void on_document(Handler handler) = 0;
};

}  // namespace pf::firmware::ports
