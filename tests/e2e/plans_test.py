# tests/e2e/plans_test.py: every plan that the repository shows is one that the program takes.
import contextlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

root = pathlib.Path(__file__).resolve().parent.parent.parent
program = root / "build" / "spillway"


def check(plan):
    done = subprocess.run([program, "check", plan], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def settled(plan):
    """The plan beside the files that it names: a setup.js makes them, in a copy of its example."""
    if not (plan.parent / "setup.js").exists():
        yield plan
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "example"
        shutil.copytree(plan.parent, copy, ignore=shutil.ignore_patterns("node_modules", ".next"))
        subprocess.run(["node", "setup.js"], cwd=copy, check=True, timeout=30)
        yield copy / plan.name


def plans_in(page):
    """The fenced blocks of YAML that are whole plans: they name services."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if re.search(r"^services:", block, re.MULTILINE)]


class Plans(unittest.TestCase):
    def test_every_example_is_accepted_without_a_warning(self):
        plans = [plan for plan in sorted((root / "examples").rglob("*.yaml"))
                 if "node_modules" not in plan.parts]
        self.assertGreaterEqual(len(plans), 5)
        for plan in plans:
            with self.subTest(plan=plan.relative_to(root)), settled(plan) as shown:
                status, text = check(shown)
                self.assertEqual(status, 0, text)
                self.assertNotIn("warning", text)

    def test_every_plan_in_the_docs_is_accepted(self):
        pages = [root / "README.md", root / "docs" / "configuration.md"]
        for page in pages:
            plans = plans_in(page)
            self.assertTrue(plans, f"{page} shows no plan")
            for number, text in enumerate(plans, 1):
                with self.subTest(page=page.name, plan=number), \
                        tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(text)
                    file.flush()
                    status, said = check(file.name)
                    self.assertEqual(status, 0, said)

    def test_files_that_a_build_has_yet_to_make_are_a_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            plan = pathlib.Path(folder) / "spillway.yaml"
            plan.write_text("connections: { body_rate: 0B }\nroutes: [{ path: /*, files: dist }]\n")
            status, said = check(plan)
            self.assertEqual(status, 0, said)
            self.assertIn(f"routes[0].files: {folder}/dist is no folder yet", said)
            (plan.parent / "dist").mkdir()
            self.assertNotIn("warning", check(plan)[1])

    def test_the_first_plan_in_the_readme_has_about_ten_lines(self):
        lines = plans_in(root / "README.md")[0].strip().splitlines()
        self.assertLessEqual(len(lines), 12)


if __name__ == "__main__":
    unittest.main()
