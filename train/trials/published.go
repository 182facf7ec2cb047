package trials

// published returns the rows that others published for a protocol, or that we
// measured of them once, with where each is from.
func published(protocol string) []Row {
	row := func(model, note string, hr, ndcg float64, names ...string) Row {
		if names == nil {
			names = []string{"hr@10", "ndcg@10"}
		}
		return Row{Model: model, Note: note, Published: true, Values: map[string]float64{names[0]: hr, names[1]: ndcg}}
	}
	switch protocol {
	case "ml1m-loo":
		return []Row{
			row("popularity", "measured on this file, fitted on train + validation, ties to the target", .0364, .0179),
			row("EASE, recency-weighted query", "measured on this file", .2336, .1306),
			row("EASE, recency-weighted query (refit)", "measured on this file", .2363, .1315),
			row("SASRec, BCE", "published", .2392, .1259),
			row("GRU4Rec, cross-entropy", "published", .2811, .1648),
			row("SASRec, sampled softmax, 256 negatives", "published", .2929, .1684),
			row("gSASRec", "published", .3003, .1726),
			row("eSASRec", "published", .3133, .1772),
			row("FuXi-α", "published, same data as eSASRec", .3164, .1813),
			row("SASRec+ 3000, cross-entropy", "published", .3159, .1857),
			row("HSTU-large", "published; own preprocessing, not strictly comparable", .3294, .1893),
			row("prototype: SASRec in Go", "ours, earlier", .3263, .1892),
			row("prototype: SASRec + ridge", "ours, earlier", .3442, .2033),
			row("HSTU-large by RecTools", "published; another set-up", .3642, .2164),
		}
	case "gowalla":
		at := func(model string, recall, ndcg float64) Row {
			return row(model, "published", recall, ndcg, "recall@20", "ndcg@20")
		}
		return []Row{at("ItemCF", .1570, .1214), at("EASE", .1765, .1467), at("LightGCN", .1820, .1547), at("GF-CF", .1849, .1518),
			at("UltraGCN", .1862, .1580), at("SimpleX", .1872, .1557)}
	case "microlens50k":
		return []Row{row("SASRec on MicroLens-100k", "published; another set, for the order of size", .0909, .0517)}
	case "ml100k":
		at := func(model string, recall, ndcg, hit, coverage float64) Row {
			r := row(model, "run by us", recall, ndcg, "recall@20", "ndcg@20")
			r.Values["hr@10"], r.Values["coverage@20"] = hit, coverage
			return r
		}
		return []Row{
			at("Gorse, its full pipeline", .083, .053, .209, .106), at("Gorse, item-to-item", .174, .133, .430, .140),
			at("Gorse, matrix factorisation alone", .245, .164, .481, .379), at("popularity", .135, .100, .341, .083),
			at("implicit ALS, 32 factors", .244, .164, .497, .416), at("EASE, λ 300", .267, .185, .508, .342),
		}
	}
	return nil
}
