package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
)

// verifyRounds is how often the bundle is verified.
const verifyRounds = 3

// verifying measures the verification of a bundle of the whole ledger, by one who
// has its key.
func (b *bench) verifying(ctx context.Context) (m measurement, err error) {
	if err := b.filled(ctx); err != nil {
		return m, err
	}
	name := filepath.Join(b.root, "whole.bundle")
	whole, err := bundle.Source{
		Ledger: b.full.cfg.name, Timezone: b.full.store.Timezone(), Log: b.full.store, Files: b.full.store, Notary: b.full.notary, Trees: b.full.models,
	}.Prepare(ctx, "", false)
	if err != nil {
		return m, err
	}
	file, err := os.Create(name)
	if err != nil {
		return m, err
	}
	defer func() { _ = file.Close() }()
	if err := whole.Write(ctx, file, nil); err != nil {
		return m, err
	}
	bar := b.app.bar("verify", verifyRounds, false)
	defer bar.finish()
	rates, err := inTurn(verifyRounds, bar.step(func() (float64, error) {
		if _, err := file.Seek(0, 0); err != nil {
			return 0, err
		}
		start := time.Now()
		report, err := bundle.Verify(ctx, file, bundle.Options{LedgerKey: domain.VerifierKey(b.full.key.Public)})
		if err == nil && !report.OK {
			err = fmt.Errorf("the bundle does not verify: %w", report.Failure())
		}
		return float64(whole.Manifest.Events) / time.Since(start).Seconds(), err
	}))
	if err != nil {
		return m, err
	}
	return measurement{Ours: ptr(median(rates[0]))}, nil
}
