package signin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// AdminTokenFile is where the administrator's token of a data directory lies.
// Whoever can read it is the administrator of that server.
func AdminTokenFile(dir string) string { return filepath.Join(dir, "admin.token") }

// PrepareAdminToken reads the token of a data directory, and makes one where there
// is none: so a token that somebody may have seen is replaced by removing the file
// and starting the server again.
func PrepareAdminToken(dir string) (string, error) {
	token, err := ReadAdminToken(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	token, _ = access.NewToken(access.Administrator)
	if err := durable.Create(AdminTokenFile(dir), 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, token+"\n")
		return err
	}); err != nil {
		return "", fmt.Errorf("write the administrator's token: %w", err)
	}
	return token, nil
}

// ReadAdminToken reads the token of a data directory. The error is fs.ErrNotExist
// when there is none; a file that others can read is refused.
func ReadAdminToken(dir string) (string, error) {
	file := AdminTokenFile(dir)
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read the administrator's token: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o), and whoever reads it is the administrator: "+
			"if somebody may have read it, stop the server, remove the file and start again, which makes a new one; else chmod 600 %s", file, mode, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the administrator's token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if key, _, err := access.ParseToken(token); err != nil || key != access.Administrator {
		return "", fmt.Errorf("%s holds no administrator's token: remove it, and the next start of the server makes one", file)
	}
	return token, nil
}
