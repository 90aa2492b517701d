package hubsim

import (
	"crypto/sha1" //nolint:gosec // git's own hash
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

type release struct {
	id         int64
	tag, body  string
	prerelease bool
	by         *account
	at         time.Time
	commit     string
}

// sha makes up a commit id that no other has.
func (s *Sim) sha(kind string) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "%s %d", kind, s.id()))) //nolint:gosec // git's own hash
}

func blobSHA(content string) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))) //nolint:gosec // git's own hash
}

// AddBranch makes a branch besides main.
func (s *Sim) AddBranch(repo, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.mustRepo(repo); !slices.Contains(r.branches, name) {
		r.branches = append(r.branches, name)
	}
}

// PublishRelease publishes a release and its tag. GitHub sends both
// release.published and release.released for a full release.
func (s *Sim) PublishRelease(login, repo, tag string) error {
	return s.publishRelease(login, repo, tag, "", false)
}

// PublishPrerelease publishes a release candidate: release.published and
// release.prereleased; "latest" does not see it.
func (s *Sim) PublishPrerelease(login, repo, tag string) error {
	return s.publishRelease(login, repo, tag, "", true)
}

// PublishReleaseNotes is PublishRelease with a text.
func (s *Sim) PublishReleaseNotes(login, repo, tag, notes string) error {
	return s.publishRelease(login, repo, tag, notes, false)
}

func (s *Sim) publishRelease(login, repo, tag, notes string, pre bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, r, err := s.act(login, repo, write)
	if err != nil {
		return err
	}
	for _, x := range r.releases {
		if x.tag == tag {
			return fmt.Errorf("release %s exists", tag)
		}
	}
	rel := &release{id: s.id(), tag: tag, body: notes, prerelease: pre, by: a, at: s.now(), commit: r.commit}
	r.releases = append(r.releases, rel)
	second := "released"
	if pre {
		second = "prereleased"
	}
	for _, action := range []string{"published", second} {
		s.emit("release", action, r.owner, a, r, obj{"release": releaseObj(r, rel)})
	}
	return nil
}

func releaseObj(r *repo, x *release) obj {
	u := fmt.Sprintf("%s/releases/%d", r.api(), x.id)
	return obj{
		"id": x.id, "node_id": nodeID("RE", x.id), "url": u, "html_url": r.page() + "/releases/tag/" + x.tag,
		"assets_url": u + "/assets", "upload_url": u + "/assets{?name,label}",
		"tag_name": x.tag, "target_commitish": "main", "name": x.tag, "draft": false, "prerelease": x.prerelease,
		"immutable": false, "author": userObj(x.by), "body": x.body, "assets": []any{},
		"tarball_url": r.api() + "/tarball/" + x.tag, "zipball_url": r.api() + "/zipball/" + x.tag,
		"created_at": stamp(x.at), "published_at": stamp(x.at), "updated_at": stamp(x.at),
	}
}

func listReleases(c *call) {
	all := slices.Clone(c.repo.releases)
	slices.Reverse(all) // newest first
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, releaseObj(c.repo, x))
	}
	c.reply(200, out)
}

// latestRelease passes over release candidates.
func latestRelease(c *call) {
	for _, x := range slices.Backward(c.repo.releases) {
		if !x.prerelease {
			c.reply(200, releaseObj(c.repo, x))
			return
		}
	}
	c.notFound()
}

func releaseByTag(c *call) {
	for _, x := range c.repo.releases {
		if x.tag == c.params["tag"] {
			c.reply(200, releaseObj(c.repo, x))
			return
		}
	}
	c.notFound()
}

// listTags knows the tags of releases; there are no others here.
func listTags(c *call) {
	all := slices.Clone(c.repo.releases)
	slices.Reverse(all)
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, obj{
			"name": x.tag, "commit": obj{"sha": x.commit, "url": c.repo.api() + "/commits/" + x.commit},
			"zipball_url": c.repo.api() + "/zipball/refs/tags/" + x.tag,
			"tarball_url": c.repo.api() + "/tarball/refs/tags/" + x.tag, "node_id": nodeID("REF", x.id),
		})
	}
	c.reply(200, out)
}

func listBranches(c *call) {
	from, to := c.page(len(c.repo.branches))
	out := []any{}
	for _, b := range c.repo.branches[from:to] {
		out = append(out, obj{
			"name": b, "protected": false,
			"commit": obj{"sha": c.repo.commit, "url": c.repo.api() + "/commits/" + c.repo.commit},
		})
	}
	c.reply(200, out)
}

// PushFile commits one file to main and pushes.
func (s *Sim) PushFile(login, repo, path, content string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, r, err := s.act(login, repo, write)
	if err != nil {
		return err
	}
	kind := "added"
	if _, ok := r.files[path]; ok {
		kind = "modified"
	}
	r.files[path] = content
	s.push(a, r, kind, path)
	return nil
}

// DeleteFile removes one file from main and pushes.
func (s *Sim) DeleteFile(login, repo, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, r, err := s.act(login, repo, write)
	if err != nil {
		return err
	}
	if _, ok := r.files[path]; !ok {
		return fmt.Errorf("no file %s in %s", path, repo)
	}
	delete(r.files, path)
	s.push(a, r, "removed", path)
	return nil
}

// push sends the webhook of a commit to main with one file in it.
func (s *Sim) push(a *account, r *repo, kind, path string) {
	before := r.commit
	r.commit = s.sha("commit")
	who := obj{"name": a.login, "email": a.login + "@users.noreply.github.com", "username": a.login}
	commit := obj{
		"id": r.commit, "tree_id": r.commit, "distinct": true, "message": "Update " + path, "timestamp": stamp(s.now()),
		"url": r.page() + "/commit/" + r.commit, "author": who, "committer": who,
		"added": []string{}, "removed": []string{}, "modified": []string{},
	}
	commit[kind] = []string{path}
	s.emit("push", "", r.owner, a, r, obj{
		"ref": "refs/heads/main", "before": before, "after": r.commit, "base_ref": nil, "created": false,
		"deleted": false, "forced": false, "compare": r.page() + "/compare/" + before[:12] + "..." + r.commit[:12],
		"commits": []any{commit}, "head_commit": commit, "pusher": obj{"name": a.login, "email": who["email"]},
	})
}

// getContents answers a file as an object and a folder as a list.
//
// https://docs.github.com/rest/repos/contents#get-repository-content
func getContents(c *call) {
	r, path := c.repo, strings.Trim(c.params["path"], "/")
	ref := strings.TrimPrefix(c.query.Get("ref"), "refs/heads/")
	if ref != "" && ref != r.commit && !slices.Contains(r.branches, ref) &&
		!slices.ContainsFunc(r.releases, func(x *release) bool { return x.tag == ref }) {
		c.fail(404, "No commit found for the ref "+ref)
		return
	}
	if content, ok := r.files[path]; ok {
		o := fileObj(r, path, content)
		o["encoding"], o["content"] = "base64", wrap(base64.StdEncoding.EncodeToString([]byte(content)))
		if len(content) > 1<<20 { // to be had in raw form only
			o["encoding"], o["content"] = "none", ""
		}
		c.reply(200, o)
		return
	}
	if list := folder(r, path); len(list) > 0 {
		c.reply(200, list)
		return
	}
	c.notFound()
}

// folder lists the files and sub-folders right below a path.
func folder(r *repo, path string) []any {
	prefix := ""
	if path != "" {
		prefix = path + "/"
	}
	var list []any
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if dir, _, deeper := strings.Cut(rest, "/"); !deeper {
			list = append(list, fileObj(r, name, r.files[name]))
		} else if !seen[dir] {
			seen[dir] = true
			o := fileObj(r, prefix+dir, dir)
			o["type"], o["size"], o["download_url"] = "dir", 0, nil
			list = append(list, o)
		}
	}
	return list
}

func fileObj(r *repo, path, content string) obj {
	sha, u := blobSHA(content), r.api()+"/contents/"+path+"?ref=main"
	git, page := r.api()+"/git/blobs/"+sha, r.page()+"/blob/main/"+path
	return obj{
		"type": "file", "size": len(content), "name": path[strings.LastIndex(path, "/")+1:], "path": path, "sha": sha,
		"url": u, "git_url": git, "html_url": page,
		"download_url": "https://raw.githubusercontent.com/" + r.full() + "/main/" + path,
		"_links":       obj{"self": u, "git": git, "html": page},
	}
}

// wrap breaks base64 into lines of 60 characters, as GitHub does.
func wrap(s string) string {
	var b strings.Builder
	for len(s) > 60 {
		b.WriteString(s[:60] + "\n")
		s = s[60:]
	}
	return b.String() + s + "\n"
}
