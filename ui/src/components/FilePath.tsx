// A path where there is little room: its name always, of its folder what fits.
export function FilePath({ path }: { path: string }) {
  const cut = path.replace(/\/+$/, "").lastIndexOf("/") + 1;
  return (
    <span className="mono file-path" title={path}>
      <span>{path.slice(0, cut)}</span>
      <span>{path.slice(cut)}</span>
    </span>
  );
}
