// Which texts must occur in a string for a regular expression to match it. The server looks for these first, all
// patterns at once, and runs only the expressions that still can match: a user agent costs a handful of them, not 1,300.

const maxSet = 24;      // a product of small classes larger than this is cut into pieces
const maxClass = 4;     // [Bb] is two texts; [a-z] is "anything"

/** Texts of which at least one occurs in every match, or null when no such set was found. */
export function requiredLiterals(pattern) {
  const parser = new Parser(pattern);
  const whole = parser.alternation();
  if (parser.at < pattern.length) throw new Error(`unbalanced ")" in ${pattern}`);
  const best = whole.exact ? usable(whole.exact) : whole.needs;
  return best ? [...best].sort() : null;
}

// A node is { exact: every text it can be, or null; needs: texts of which one must occur, or null }.
const nothing = { exact: new Set(['']), needs: null };
const anything = { exact: null, needs: null };

class Parser {
  constructor(pattern) {
    this.p = pattern;
    this.at = 0;
  }

  alternation() {
    const branches = [this.sequence()];
    while (this.p[this.at] === '|') {
      this.at++;
      branches.push(this.sequence());
    }
    if (branches.length === 1) return branches[0];
    if (branches.every(b => b.exact)) {
      const all = new Set(branches.flatMap(b => [...b.exact]));
      return all.size <= maxSet ? { exact: all, needs: usable(all) } : { exact: null, needs: usable(all) };
    }
    const needs = branches.map(b => (b.exact ? usable(b.exact) : b.needs));
    return { exact: null, needs: needs.every(n => n) ? new Set(needs.flatMap(n => [...n])) : null };
  }

  sequence() {
    let run = new Set(['']);
    let best = null;
    let exact = true;
    const offer = set => {
      if (set && (!best || score(set) > score(best))) best = set;
    };
    while (this.at < this.p.length && this.p[this.at] !== '|' && this.p[this.at] !== ')') {
      const node = this.quantified();
      if (node.exact && run.size * node.exact.size <= maxSet) {
        run = new Set([...run].flatMap(a => [...node.exact].map(b => a + b)));
        continue;
      }
      exact = false;
      offer(usable(run));
      run = node.exact ?? new Set(['']);
      offer(node.needs);
    }
    if (exact) return { exact: run, needs: usable(run) };
    offer(usable(run));
    return { exact: null, needs: best };
  }

  quantified() {
    const atom = this.atom();
    const m = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})[?+]?/.exec(this.p.slice(this.at, this.at + 16));
    if (!m) return atom;
    this.at += m[0].length;
    const least = m[1] ? (m[1] === '+' ? 1 : 0) : Number(m[2]);
    if (least === 0) {
      return m[1] === '?' && atom.exact ? { exact: new Set([...atom.exact, '']), needs: null } : anything;
    }
    return least === 1 && m[2] && !m[3] ? atom : { exact: null, needs: atom.exact ? usable(atom.exact) : atom.needs };
  }

  atom() {
    const c = this.p[this.at++];
    switch (c) {
      case '(': {
        const kind = /^\?(?:<?[=!]|:|<\w+>)/.exec(this.p.slice(this.at, this.at + 40))?.[0] ?? '';
        if (!kind && this.p[this.at] === '?') throw new Error(`a group this reader does not know in ${this.p}`);
        this.at += kind.length;
        const inner = this.alternation();
        if (this.p[this.at++] !== ')') throw new Error(`missing ")" in ${this.p}`);
        return /[=!]$/.test(kind) ? nothing : inner;      // a look-around takes up no text
      }
      case '[':
        return this.characterClass();
      case '.':
        return anything;
      case '^':
      case '$':
        return nothing;
      case '\\':
        return this.escape(this.p[this.at++]);
      default:
        return { exact: new Set([c]), needs: null };
    }
  }

  escape(c) {
    if ('bBAzZ'.includes(c)) return nothing;
    if ('dDwWsS'.includes(c)) return anything;
    if (/[A-Za-z0-9]/.test(c)) throw new Error(`escape \\${c} is not known, in ${this.p}`);
    return { exact: new Set([c]), needs: null };
  }

  characterClass() {
    const negated = this.p[this.at] === '^';
    if (negated) this.at++;
    const members = new Set();
    let open = false;
    for (let first = true; first || this.p[this.at] !== ']'; first = false) {
      if (this.at >= this.p.length) throw new Error(`missing "]" in ${this.p}`);
      const c = this.p[this.at++];
      if (c === '\\') {
        const e = this.p[this.at++];
        if (/[A-Za-z0-9]/.test(e)) open = true;
        else members.add(e);
      } else if (this.p[this.at] === '-' && this.p[this.at + 1] !== ']') {
        open = true;
        this.at += this.p[this.at + 1] === '\\' ? 3 : 2;
      } else {
        members.add(c);
      }
    }
    this.at++;
    return negated || open || members.size > maxClass ? anything : { exact: members, needs: null };
  }
}

// One letter filters nothing out, and the empty text is in everything.
function usable(set) {
  return [...set].every(t => t.length >= 2) ? set : null;
}

function score(set) {
  return Math.min(...[...set].map(t => t.length)) * 100 - set.size;
}
