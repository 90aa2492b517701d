package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// A Label is what a maintainer said about a public text, beside what the detector thought of it.
type Label struct {
	Case     int64
	At       time.Time
	Security bool    // it is a report
	Score    float64 // the detector's probability when it was said
}

// scoreSteps is how finely a score is kept.
const scoreSteps = 1_000_000

// labelText is what a label is about, encrypted: for whoever trains the detector anew.
type labelText struct{ Title, Body string }

// SaveLabel keeps a label and its text. A later word about the same case takes the place of an earlier one.
func (tx *Tx) SaveLabel(ctx context.Context, l Label, title, body disclosure.Embargoed) error {
	sealed, err := tx.store.seal.sealValue(labelText{title.Reveal(), body.Reveal()}, fmt.Sprintf("label/%d", l.Case))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into label(case_id, at, security, score, body) values(?, ?, ?, ?, ?)
		on conflict(case_id) do update set at = excluded.at, security = excluded.security, score = excluded.score, body = excluded.body`,
		l.Case, micros(tx.Now), l.Security, int64(math.Round(l.Score*scoreSteps)), sealed)
	if err != nil {
		return fmt.Errorf("save label of case %d: %w", l.Case, err)
	}
	return nil
}

// Labels returns all labels, oldest first.
func (s *Store) Labels(ctx context.Context) ([]Label, error) {
	rows, err := s.read.QueryContext(ctx, `select case_id, at, security, score from label order by at, case_id`)
	if err != nil {
		return nil, fmt.Errorf("read labels: %w", err)
	}
	defer rows.Close()
	var out []Label
	for rows.Next() {
		var (
			l         Label
			at, steps int64
		)
		if err := rows.Scan(&l.Case, &at, &l.Security, &steps); err != nil {
			return nil, err
		}
		l.At, l.Score = fromMicros(at), float64(steps)/scoreSteps
		out = append(out, l)
	}
	return out, rows.Err()
}
