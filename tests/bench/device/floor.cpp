#include "tests/bench/device/floor.hpp"

#include <ZXing/ReadBarcode.h>
#include <sqlite3.h>

#include "tests/bench/row.hpp"

namespace pf::bench {

std::string zxing_decode(const firmware::scan::LumaFrame& frame) {
    static const auto hints = ZXing::DecodeHints()
                                  .setFormats(ZXing::BarcodeFormat::QRCode)
                                  .setBinarizer(ZXing::Binarizer::LocalAverage)
                                  .setTryHarder(false)
                                  .setTryRotate(false)
                                  .setTryDownscale(false);
    const ZXing::ImageView view{frame.pixels.data(), frame.width, frame.height,
                                ZXing::ImageFormat::Lum, frame.stride};
    const ZXing::Result result = ZXing::ReadBarcode(view, hints);
    require(result.isValid(), "ZXing reads the frame");
    const ZXing::ByteArray& bytes = result.bytes();
    return {bytes.begin(), bytes.end()};
}

Es256::Es256(std::string_view text, const crypto::PublicKey& key)
    : unverified_{*ticket::read(text)}, key_{key} {}

void Es256::verify() const {
    require(key_.verify(unverified_.signed_bytes, unverified_.signature), "the signature is good");
}

DurableTable::DurableTable(const std::string& path) {
    const auto done = [&](int code) { require(code == SQLITE_OK, "SQLite does as it is told"); };
    done(sqlite3_open(path.c_str(), &database_));
    done(sqlite3_exec(database_,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "CREATE TABLE event (seq INTEGER PRIMARY KEY, event BLOB NOT NULL)",
                      nullptr, nullptr, nullptr));
    done(sqlite3_prepare_v2(database_, "INSERT INTO event (event) VALUES (randomblob(120))", -1,
                            &insert_, nullptr));
}

DurableTable::~DurableTable() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
}

void DurableTable::commit_one() {
    require(sqlite3_step(insert_) == SQLITE_DONE && sqlite3_reset(insert_) == SQLITE_OK,
            "SQLite commits");
}

}  // namespace pf::bench
