@echo off
rem build.cmd build|test|demo|bench|paper|accuracy|pack|docs [arguments]: the same verbs as build.sh, on Windows.
setlocal
cd /d "%~dp0"
set DOTNET_CLI_TELEMETRY_OPTOUT=1
set DOTNET_NOLOGO=1
if "%CONFIGURATION%"=="" set CONFIGURATION=Release
set VERB=%1
rem Not by shift: cmd takes the = in -p:TorchRuntime=cuda-windows for a space between %1 and %2.
set REST=
for /f "tokens=1*" %%a in ("%*") do set REST=%%b
if "%VERB%"=="build" goto build
if "%VERB%"=="test" goto test
if "%VERB%"=="demo" goto demo
if "%VERB%"=="bench" goto bench
if "%VERB%"=="paper" goto paper
if "%VERB%"=="accuracy" goto accuracy
if "%VERB%"=="pack" goto pack
if "%VERB%"=="docs" goto docs
echo usage: build.cmd build^|test^|demo^|bench^|paper^|accuracy^|pack^|docs [arguments] 1>&2
exit /b 2
:build
dotnet build -c %CONFIGURATION% --verbosity quiet %REST%
exit /b %ERRORLEVEL%
:test
dotnet test -c %CONFIGURATION% --logger "console;verbosity=normal" %REST%
exit /b %ERRORLEVEL%
:demo
dotnet run -c %CONFIGURATION% --project src/Samples/Demo -- %REST%
exit /b %ERRORLEVEL%
:bench
if "%REST%"=="accuracy" dotnet run -c %CONFIGURATION% --project research -- accuracy --list research/accuracy-small.txt --data ../shared/data --models ../shared/models --work artifacts/accuracy --results artifacts/accuracy/results.txt
if "%REST%"=="accuracy" exit /b %ERRORLEVEL%
dotnet run -c %CONFIGURATION% --project benchmarks -- %REST%
exit /b %ERRORLEVEL%
:paper
dotnet run -c %CONFIGURATION% --project research -- %REST%
exit /b %ERRORLEVEL%
:accuracy
dotnet run -c %CONFIGURATION% --project research -- accuracy %REST%
exit /b %ERRORLEVEL%
:pack
dotnet pack src/Microsoft.ML.Distillation.Runtime -c %CONFIGURATION% -o artifacts/packages --verbosity quiet %REST%
if errorlevel 1 exit /b %ERRORLEVEL%
dotnet pack src/Microsoft.ML.Distillation -c %CONFIGURATION% -o artifacts/packages --verbosity quiet %REST%
if errorlevel 1 exit /b %ERRORLEVEL%
rem With the libtorch that -p:TorchRuntime=... names (none: it cannot train); in folders of its own, as other builds may have another.
dotnet pack src/Microsoft.ML.Distillation.Tool -c %CONFIGURATION% -o artifacts/packages --artifacts-path artifacts/tool --verbosity quiet %REST%
exit /b %ERRORLEVEL%
:docs
dotnet build src/Microsoft.ML.Distillation -c %CONFIGURATION% --verbosity quiet
if errorlevel 1 exit /b %ERRORLEVEL%
dotnet tool restore --verbosity quiet
if errorlevel 1 exit /b %ERRORLEVEL%
dotnet docfx eng/docfx.json --warningsAsErrors %REST%
exit /b %ERRORLEVEL%
