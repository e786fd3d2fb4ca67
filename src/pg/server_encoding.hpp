// Between servers text is in the database's encoding, whatever the client's is: types' send and
// receive functions convert between the two by themselves.
#pragma once

extern "C" {
#include "postgres.h"

#include "mb/pg_wchar.h"
}

namespace herd::pg {

// While alive, send and receive functions leave text as it is. Nothing may go to the client
// meanwhile.
class ServerEncoding {
public:
    ServerEncoding() : client_(::pg_get_client_encoding()) { change_to(::GetDatabaseEncoding()); }
    ~ServerEncoding() { change_to(client_); }
    ServerEncoding(const ServerEncoding&) = delete;
    ServerEncoding& operator=(const ServerEncoding&) = delete;

private:
    void change_to(int encoding) const {
        if (client_ != ::GetDatabaseEncoding()) {
            (void)::SetClientEncoding(encoding);
        }
    }
    int client_;
};

}  // namespace herd::pg
